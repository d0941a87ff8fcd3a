"""Reports of both kinds of connections, as the counters make them."""

from capacity.loadgen.protocol.counters import Counters
from capacity.loadgen.protocol.kinds import with_private


def counted(**counts):
    counters = Counters()
    for name, value in counts.items():
        setattr(counters, name, value)
    return counters


def test_both_kinds_are_counted_together_and_the_private_ones_apart():
    public = counted(connects=5, deliveries=100, lost=1, failures={"connect_refused": 2})
    private = counted(connects=4, lost=2, pinged=4, half_open=1)
    private.fail("connect_refused")
    private.fail("handshake_opening_refused", 3)
    both = with_private(public.take(1.0), private.take(1.0))

    assert (9, 100, 3, 4) == tuple(
        both[name] for name in ("connects", "deliveries", "lost", "pinged")
    )
    assert {"connect_refused": 3, "handshake_opening_refused": 3} == both["failures"]
    assert {
        "failures": {"connect_refused": 1, "handshake_opening_refused": 3},
        "refused_logins": [],
        "connects": 4,
        "lost": 2,
        "deliveries": 0,
        "pinged": 4,
        "half_open": 1,
    } == both["private"]


def test_durations_of_both_are_one_series_and_words_say_whose_they_are():
    public, private = counted(open_before_loss=7), counted(open_before_loss=3)
    public.handshake_time += [1000, 1000]
    private.handshake_time += [1000]
    private.lifetime += [5000]
    public.note_said("full")
    private.note_said("opening login failed")
    private.note_unmatched("no rule for: x")
    both = with_private(public.take(1.0), private.take(1.0))
    totals = {name: sum(counts.values()) for name, counts in both["histograms"].items()}

    assert {"handshake_time": 3, "lifetime": 1} == totals
    assert ["full", "private: opening login failed"] == both["said"]
    assert ["private: no rule for: x"] == both["examples"]
    assert ({"no rule for": 1}, 1, 7) == (
        both["unmatched_by"],
        both["unmatched"],
        both["open_before_loss"],
    )
