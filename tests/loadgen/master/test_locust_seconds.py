"""Hours of Locust's own statistics stay small, and say the same of now."""

from locust.stats import RequestStats

from capacity.loadgen.master.locust_seconds import forget_old_seconds

MOST_READINGS = 240
SECONDS = 60

NEWEST = 1_000_000


def counted(seconds):
    stats = RequestStats()
    for entry in (stats.get("ticker", "GET"), stats.total):
        entry.num_reqs_per_sec.update(dict.fromkeys(range(NEWEST - seconds, NEWEST + 1), 5))
        entry.num_fail_per_sec.update({NEWEST - seconds: 1})
        entry.last_request_timestamp = NEWEST
    return stats


def test_seconds_that_nobody_looks_at_are_forgotten_in_every_entry():
    stats = counted(SECONDS + 1)
    before = stats.total.current_rps
    forget_old_seconds(stats)

    for entry in (stats.get("ticker", "GET"), stats.total):
        assert NEWEST - SECONDS == min(entry.num_reqs_per_sec)
        assert {NEWEST - SECONDS - 1: 1} == entry.num_fail_per_sec, "the newest of its own"
    assert before == stats.total.current_rps


def test_what_is_looked_at_stays():
    stats = counted(SECONDS)
    forget_old_seconds(stats)

    assert SECONDS + 1 == len(stats.total.num_reqs_per_sec)


def test_a_long_history_is_thinned_and_its_newest_half_stays():
    stats = RequestStats()
    stats.history = [{"time": n} for n in range(MOST_READINGS + 1)]
    forget_old_seconds(stats)
    kept = [each["time"] for each in stats.history]

    assert list(range(1, MOST_READINGS // 2, 2)) == kept[: MOST_READINGS // 4]
    assert list(range(MOST_READINGS // 2, MOST_READINGS + 1)) == kept[MOST_READINGS // 4 :]


def test_a_history_of_an_hour_is_whole():
    stats = RequestStats()
    stats.history = [{"time": n} for n in range(MOST_READINGS)]
    forget_old_seconds(stats)

    assert MOST_READINGS == len(stats.history)


def test_before_the_first_request_there_is_nothing_to_forget():
    stats = RequestStats()
    forget_old_seconds(stats)

    assert [] == stats.history
