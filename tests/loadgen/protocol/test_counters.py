from capacity.domain.histogram import bucket_of
from capacity.loadgen.ledger import FOLD_FROM, MOST_EXAMPLES, Ledger, poll_series_of, series_of


def test_taking_returns_what_happened_under_the_tag_and_starts_anew():
    ledger = Ledger(since_s=10.0)
    ledger.turn_to(3, "plateau")
    ledger.deliveries += 5
    ledger.fail("connect_refused")
    ledger.fail("connect_refused")
    ledger.delivery_delay += [1000, 1000, 7]
    first = ledger.take(12.5)
    second = ledger.take(13.0)

    assert (3, "plateau", 2.5) == (first["index"], first["phase"], first["seconds"])
    assert (5, {"connect_refused": 2}) == (first["deliveries"], first["failures"])
    assert {bucket_of(1000): 2, bucket_of(7): 1} == first["histograms"]["delivery_delay"]
    assert (0, {}, {}, 0.5) == (
        second["deliveries"],
        second["failures"],
        second["histograms"],
        second["seconds"],
    )


def test_phases_of_opening_are_histograms_of_their_own_and_start_anew_too():
    ledger = Ledger()
    ledger.opening["tcp"] += [100, 100]
    ledger.opening["first_data"].append(5000)
    ledger.request_opening["tcp"].append(70)
    first, second = ledger.take(1.0), ledger.take(2.0)

    assert {
        series_of("tcp"): {bucket_of(100): 2},
        series_of("first_data"): {bucket_of(5000): 1},
        poll_series_of("tcp"): {bucket_of(70): 1},
    } == first["histograms"]
    assert {} == second["histograms"]


def test_what_piles_up_is_folded_on_the_beat_and_is_all_there_at_the_end():
    ledger = Ledger()
    ledger.delivery_delay += [1000] * FOLD_FROM
    ledger.note_lag(40)
    piled_up = len(ledger.delivery_delay)
    ledger.delivery_delay += [7]
    report = ledger.take(1.0)

    assert piled_up == 0
    assert {bucket_of(1000): FOLD_FROM, bucket_of(7): 1} == report["histograms"]["delivery_delay"]
    assert {bucket_of(40): 1} == report["histograms"]["lag"]


def test_of_many_unmatched_frames_few_are_shown():
    ledger = Ledger()
    for number in range(100):
        ledger.note_unmatched(f"no rule for: {number}")
    first, second = ledger.take(1.0), ledger.take(2.0)

    assert (100, MOST_EXAMPLES) == (first["unmatched"], len(first["examples"]))
    assert [] == second["examples"]
