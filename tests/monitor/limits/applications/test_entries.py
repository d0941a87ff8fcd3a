"""Which of several caps counts, by port."""

from capacity.domain.resources import LimitState
from capacity.monitor.limits.applications.entries import cap, limits_of, told, uncapped, unclear
from capacity.monitor.limits.applications.settings import UnclearError


def found(*entries):
    return {limit.ports: (limit.state.value, limit.value) for limit in limits_of(entries)}


def test_the_smallest_counts_for_each_set_of_ports():
    assert found(cap("a", 9, "x"), cap("b", 5, "x"), cap("c", 7, "x", [81, 80])) == {
        (): ("known", 5),
        (80, 81): ("known", 7),
    }


def test_known_beats_unknown_which_beats_none():
    error = UnclearError("why", "/a:1")

    assert found(uncapped("a", "x"), unclear("b", error, "x")) == {(): ("unknown", None)}
    assert found(unclear("b", error, "x"), cap("c", 5, "x")) == {(): ("known", 5)}


def test_what_is_only_told_caps_nothing():
    assert limits_of([told("a", 5, "x"), told("b", None, "x")]) == []


def test_an_unclear_setting_says_where_it_stands_and_another_error_where_it_was_looked_for():
    unclear_there = unclear("a", UnclearError("why", "/a:1"), "x")
    forbidden = unclear("a", PermissionError(13, "no", "/b"), "x")

    assert (unclear_there.source, unclear_there.reason) == ("/a:1", "why")
    assert forbidden.source == "x"
    assert "run the agent as the target's user or as root" in forbidden.reason
    assert forbidden.state is LimitState.UNKNOWN
