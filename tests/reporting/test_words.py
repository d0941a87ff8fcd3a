from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.plan import DoubtKind
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.reporting import words


@given(st.text(max_size=2_000))
def test_whatever_a_stranger_writes_becomes_one_short_visible_line(text):
    shown = words.printable(text)

    assert shown.isprintable()
    assert len(shown) <= words.LONGEST_TEXT
    assert shown.encode("utf-8").decode("utf-8") == shown


def test_ordinary_names_stay_as_they_are():
    assert words.printable("venue-1 (Zürich) 取引所") == "venue-1 (Zürich) 取引所"


def test_escapes_overrides_and_halves_of_characters_are_replaced():
    shown = words.printable("a\x1b[31m\u202eb\nc\ud800")

    assert shown == "a�[31m�b c�"


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
