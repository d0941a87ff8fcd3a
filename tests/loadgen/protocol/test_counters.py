from capacity.domain.histogram import bucket_of
from capacity.loadgen.protocol.counters import (
    COUNTS,
    OUTCOMES,
    POLL_PHASES,
    Counters,
    poll_series_of,
    series_of,
)


def test_taking_returns_what_happened_under_the_tag_and_starts_anew():
    counters = Counters(since_s=10.0)
    counters.turn_to(3, "plateau")
    counters.deliveries += 5
    counters.fail("connect_refused")
    counters.fail("connect_refused")
    counters.delivery_delay += [1000, 1000, 7]
    first = counters.take(12.5)
    second = counters.take(13.0)

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
    counters = Counters()
    counters.opening["tcp"] += [100, 100]
    counters.opening["first_data"].append(5000)
    counters.request_opening["tcp"].append(70)
    first, second = counters.take(1.0), counters.take(2.0)

    assert {
        series_of("tcp"): {bucket_of(100): 2},
        series_of("first_data"): {bucket_of(5000): 1},
        poll_series_of("tcp"): {bucket_of(70): 1},
    } == first["histograms"]
    assert {} == second["histograms"]


def test_what_piles_up_is_folded_in_between_and_is_all_there_at_the_end():
    counters = Counters()
    counters.delivery_delay += [1000] * 1000
    counters.note_lag(40)
    piled_up = len(counters.delivery_delay)
    counters.delivery_delay += [7]
    report = counters.take(1.0)

    assert piled_up == 0
    assert {bucket_of(1000): 1000, bucket_of(7): 1} == report["histograms"]["delivery_delay"]
    assert {bucket_of(40): 1} == report["histograms"]["lag"]


def test_of_many_unmatched_frames_few_are_shown():
    counters = Counters()
    for number in range(100):
        counters.note_unmatched(f"no rule for: {number}")
    first, second = counters.take(1.0), counters.take(2.0)

    assert (100, 3) == (first["unmatched"], len(first["examples"]))
    assert [] == second["examples"]


def test_what_the_target_says_is_kept_once_until_the_next_report():
    counters = Counters()
    for text in ("full", "full", *map(str, range(100))):
        counters.note_said(text)
    first, second = counters.take(1.0), counters.take(2.0)

    assert ["full", "0", "1"] == first["said"]
    assert [] == second["said"]


def test_an_example_is_printable_whatever_the_target_sent():
    counters = Counters()
    counters.note_unmatched("not JSON: \x1b[2J\x07")

    (example,) = counters.take(1.0)["examples"]
    assert example.isprintable()


def test_what_was_not_understood_is_counted_by_class_of_which_there_are_few():
    counters = Counters()
    for problem in ("not JSON: <html>", "not JSON: x", "no rule for: {}"):
        counters.note_unmatched(problem)
    first = counters.take(1.0)
    for number in range(17):
        counters.note_unmatched(f"kind {number}: x")
    second = counters.take(2.0)

    assert {"not JSON": 2, "no rule for": 1} == first["unmatched_by"]
    assert (12, 17) == (len(second["unmatched_by"]), second["unmatched"])


def test_what_has_not_piled_up_is_left_in_between():
    counters = Counters()
    counters.delivery_delay += [1000] * 999
    counters.note_lag(40)

    assert 999 == len(counters.delivery_delay)


def test_a_class_that_is_known_is_counted_when_there_is_room_for_no_other():
    counters = Counters()
    for number in (*range(12), 0, 12):
        counters.note_unmatched(f"kind {number}: x")

    assert 2 == counters.unmatched_by["kind 0"]
    assert "kind 12" not in counters.unmatched_by


def test_requests_of_traders_are_counted_by_kind_and_outcome():
    counters = Counters()
    counters.note_order("place_rest", "answered", 2000.0)
    counters.note_order("place_rest", "answered", 2000.0)
    counters.note_order("place_rest", "unknown", None)
    first, second = counters.take(1.0), counters.take(2.0)

    assert {"order_place_rest_answered": 2, "order_place_rest_unknown": 1} == first["orders"]
    assert {"order_latency_place_rest": {bucket_of(2000): 2}} == first["histograms"]
    assert ({}, {}) == (second["orders"], second["histograms"])


def test_a_worker_that_was_told_nothing_yet_counts_under_no_step():
    counters = Counters(since_s=0.0)
    report = counters.take(1.0)

    assert (-1, "idle", 0) == (report["index"], report["phase"], report["open_before_loss"])
    assert {0} == {report[name] for name in COUNTS}


def test_every_count_is_reported_and_starts_anew():
    counters = Counters()
    for number, name in enumerate(COUNTS, start=1):
        setattr(counters, name, number)
    counters.fail("x", 3)
    counters.pushed_versions.append((1.0, 1.0, 1))
    counters.polled_versions.append((1.0, 1, 1.0))
    first, second = counters.take(1.0), counters.take(2.0)

    assert list(range(1, len(COUNTS) + 1)) == [first[name] for name in COUNTS]
    assert {0} == {second[name] for name in COUNTS}
    assert {"x": 3} == first["failures"]
    assert ([], []) == (second["pushed_versions"], second["polled_versions"])


def test_polls_open_their_connections_in_the_phases_before_an_upgrade():
    assert ("dns", "tcp", "proxy", "tls") == POLL_PHASES
    assert ("answered", "refused") == OUTCOMES[:2]


def test_what_was_open_before_a_loss_is_told_once():
    counters = Counters()
    counters.open_before_loss = 5
    counters.take(1.0)

    assert 0 == counters.open_before_loss
