from dataclasses import replace

import pytest

from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.plan import Excuse
from capacity.planning.evidence.mix import measured_mix, widest_mix
from capacity.planning.evidence.windows import plateau_windows
from capacity.planning.plan import plan


def test_the_mix_is_that_of_the_mix_steps_alone(venue):
    mix = measured_mix(venue.record().steps)

    assert mix.connections == 1.0
    assert mix.deliveries_per_s == pytest.approx(10.0)
    assert mix.delivered_bytes_per_s == pytest.approx(2000.0)
    assert mix.requests_per_s == pytest.approx(0.02)


def test_larger_steps_weigh_more(venue, ramp):
    record = replace(venue, steps=ramp(100, 300)).record()
    steps = list(record.steps)
    steps[1] = replace(steps[1], load=replace(steps[1].load, deliveries_per_s=0.0))

    assert measured_mix(steps).deliveries_per_s == pytest.approx(7.5)


def test_another_load_is_not_taken_for_the_mix(venue):
    steps = [replace(s, step=replace(s.step, is_mix=False)) for s in venue.record().steps]

    assert measured_mix(steps) is None


def test_a_step_that_was_cut_off_has_no_say(venue, ramp):
    record = replace(venue, steps=ramp(100, 300)).record()
    steps = list(record.steps)
    strange = replace(steps[2].load, deliveries_per_s=9e9)
    cut_off = CutOff(kind=CutOffKind.SATURATED, statement="half arrived", connections=300)
    steps[2] = replace(steps[2], load=strange, cut_off=cut_off)

    assert measured_mix(steps).deliveries_per_s == pytest.approx(10.0)


def test_the_mix_says_how_many_read_slowly(venue):
    steps = [replace(s, step=replace(s.step, slow_readers_ratio=0.2)) for s in venue.record().steps]

    assert 0.2 == measured_mix(steps).slow_readers_ratio


def test_void_steps_have_no_say(venue, ramp):
    record = replace(venue, steps=ramp(100, 300)).record()
    steps = list(record.steps)
    strange = replace(steps[1].load, deliveries_per_s=9e9)
    steps[1] = replace(steps[1], load=strange, void="lag")

    assert measured_mix(steps).deliveries_per_s == pytest.approx(10.0)


def test_a_baseline_alone_has_no_mix(venue):

    assert measured_mix(venue.record().steps[:1]) is None


def test_the_widest_mix_has_the_most_of_each_part_that_came_with_a_connection(venue):
    record = venue.record()
    windows = plateau_windows(record.steps, record.samples, 0.0)
    mixes = [w.load.per_connection() for w in windows if w.load.connections > 0]
    widest = widest_mix(windows)

    assert widest.connections == 1.0
    assert all(mix.deliveries_per_s <= widest.deliveries_per_s for mix in mixes)
    assert widest.deliveries_per_s == pytest.approx(10.0)
    assert widest.requests_per_s == pytest.approx(0.02)


def test_a_step_without_connections_has_no_mix(venue):
    steps = [replace(s, load=replace(s.load, connections=0.0)) for s in venue.record().steps]

    assert measured_mix(steps) is None


@pytest.mark.parametrize(("connections", "is_carried"), [(0.99, False), (1.0, True)])
def test_less_than_one_connection_carries_nothing_and_there_is_no_plan(
    venue, connections, is_carried
):
    record = venue.record()
    steps = tuple(
        replace(step, load=replace(step.load, connections=connections)) if step.load else step
        for step in record.steps
        if step.step.is_mix or not step.step.connections
    )

    assert is_carried is (measured_mix(steps) is not None)
    if not is_carried:
        assert isinstance(plan(replace(record, steps=steps)), Excuse)
