"""Which of several caps counts, by port."""

from capacity.domain.resources import LimitState
from capacity.monitor.limits.applications.entries import cap, limits_of, told, uncapped, unclear
from capacity.monitor.limits.applications.settings import UnclearError


def found(*entries):
    return {
        (limit.ports, limit.state is LimitState.UNKNOWN): (limit.state.value, limit.value)
        for limit in limits_of(entries)
    }


def test_the_smallest_counts_for_each_set_of_ports():
    assert found(cap("a", 9, "x"), cap("b", 5, "x"), cap("c", 7, "x", [81, 80])) == {
        ((), False): ("known", 5),
        ((80, 81), False): ("known", 7),
    }


def test_what_is_unclear_stands_beside_what_is_known_or_is_none():
    error = UnclearError("why", "/a:1")
    known, none = cap("a", 5, "x"), uncapped("b", "x")

    assert found(none, unclear("c", error, "x"), known) == {
        ((), False): ("known", 5),
        ((), True): ("unknown", None),
    }
    assert found(none, unclear("c", error, "x")) == {
        ((), False): ("unlimited", None),
        ((), True): ("unknown", None),
    }


def test_what_is_only_told_caps_nothing():
    assert limits_of([told("a", 5, "x"), told("b", None, "x")]) == []


def test_an_unclear_setting_says_where_it_stands_and_another_error_where_it_was_looked_for():
    unclear_there = unclear("a", UnclearError("why", "/a:1"), "x")
    forbidden = unclear("a", PermissionError(13, "no", "/b"), "x")

    assert (unclear_there.source, unclear_there.reason) == ("/a:1", "why")
    assert forbidden.source == "x"
    assert "run the agent as the target's user or as root" in forbidden.reason
    assert forbidden.state is LimitState.UNKNOWN


def test_what_a_configuration_calls_itself_is_harmless_to_show():
    hostile = "/a\x1b[2J:1"

    assert "\x1b" not in f"{cap(hostile, 5, hostile)}{told(hostile, 5, hostile)}"
    assert "\x1b" not in f"{unclear(hostile, UnclearError(hostile, hostile), hostile)}"
