from dataclasses import replace

from capacity.planning.costs.unreleased_memory import departed_connections
from capacity.planning.evidence.windows import plateau_windows


def test_connections_that_left_are_counted_from_the_highest_step_before(venue, ramp):
    record = replace(venue, steps=ramp(10, 40, 20, 80, 30)).record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    departed = dict(
        zip((window.step for window in windows), departed_connections(windows), strict=True)
    )

    assert departed == {0: 0.0, 1: 0.0, 2: 0.0, 3: 20.0, 4: 0.0, 5: 50.0}


def test_a_run_that_only_rises_has_none(venue):
    record = venue.record()

    assert not departed_connections(plateau_windows(record.steps, record.samples, 0.0)).any()
