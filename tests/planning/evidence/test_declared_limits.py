from capacity.domain.resources import Limit, LimitState, Resource
from capacity.planning.evidence.declared_limits import declared_limits


def test_a_declared_limit_keeps_its_source():
    limits = {"application_connections": {"value": 1024, "source": "worker_connections"}}
    expected = Limit(
        resource=Resource.APPLICATION_CONNECTIONS,
        state=LimitState.KNOWN,
        value=1024.0,
        scope="declared",
        source="worker_connections",
    )

    assert (expected,) == declared_limits({"limits": limits})


def test_a_target_without_limits_declares_none():
    assert () == declared_limits({})
