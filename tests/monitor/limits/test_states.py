"""A limit is known, unlimited or unknown, and each says where that was read."""

from capacity.domain.resources import LimitState, Resource
from capacity.monitor.limits.states import known, unknown, unlimited


def test_a_known_limit_has_its_value():
    limit = known(Resource.DESCRIPTORS, 1024, "process", "/proc/1/limits")

    assert (limit.state, limit.value, limit.scope) == (LimitState.KNOWN, 1024.0, "process")
    assert (limit.source, limit.reason) == ("/proc/1/limits", None)


def test_unlimited_and_unknown_have_none():
    free = unlimited(Resource.DESCRIPTORS, "process", "s")
    dark = unknown(Resource.DESCRIPTORS, "process", "s", "declare it")

    assert (free.state, free.value, free.reason) == (LimitState.UNLIMITED, None, None)
    assert (dark.state, dark.value, dark.reason) == (LimitState.UNKNOWN, None, "declare it")


def test_an_unknown_limit_names_the_privilege_that_would_help():
    limit = unknown(Resource.MEMORY, "cgroup", "s", PermissionError(13, "denied", "/x"))

    assert "as root" in limit.reason
