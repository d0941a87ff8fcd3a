import pytest

from capacity.domain.caveats import DoubtKind
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.reporting import words


def test_every_doubt_has_a_name():
    assert set(words.DOUBTS) == set(DoubtKind)


def make_limit(state, value=None, reason=None):
    return Limit(
        resource=Resource.MEMORY,
        state=state,
        value=value,
        scope="cgroup",
        source="/sys/fs/cgroup/memory.max",
        reason=reason,
    )


def test_the_three_ways_to_have_no_number_read_differently():
    texts = [
        words.limit(make_limit(LimitState.KNOWN, 512 * 1024.0**2)),
        words.limit(make_limit(LimitState.UNLIMITED)),
        words.limit(make_limit(LimitState.UNKNOWN)),
    ]

    assert texts == ["512 MiB", "unlimited", "unknown"]


def test_an_unknown_limit_says_where_it_was_looked_for_and_why_it_failed():
    origin = words.origin(make_limit(LimitState.UNKNOWN, reason="permission denied"))

    assert origin == "cgroup: /sys/fs/cgroup/memory.max; permission denied"


def test_failures_are_named_in_words():
    assert words.reason("connect_refused") == "connect refused"


@pytest.mark.parametrize(
    ("figure", "name"),
    [
        ("cost.memory_per_connection", "memory of the target per connection"),
        ("capacity.safe", "safe capacity"),
        ("capacity.mid", "capacity"),
        ("delivery_delay.p99", "delivery delay, p99"),
    ],
)
def test_figures_have_names_for_people(figure, name):
    assert words.figure_name(figure) == name
