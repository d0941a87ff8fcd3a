from dataclasses import replace

import pytest

from capacity.domain.resources import Resource
from capacity.domain.run import ClockOffset
from capacity.reporting.measured import fitted, fitted_windows, measured


def test_every_plateau_shows_its_planted_use(record):
    found = measured(record, fitted_windows(record), Resource.DESCRIPTORS)

    assert [plateau.step.index for plateau in found] == [step.index for step in record.steps]
    assert [plateau.mean for plateau in found] == [
        52 + step.load.connections for step in record.steps
    ]


def test_a_clock_a_whole_step_ahead_changes_nothing_once_its_offset_is_known(record):
    ahead = replace(
        record, samples=tuple(replace(sample, at=sample.at + 24.0) for sample in record.samples)
    )
    known = replace(
        ahead,
        manifest=replace(ahead.manifest, clock_offset=ClockOffset(offset_s=26.5, error_s=0.0)),
    )

    expected = measured(record, fitted_windows(record), Resource.DESCRIPTORS)

    assert measured(known, fitted_windows(known), Resource.DESCRIPTORS) == expected
    assert measured(ahead, fitted_windows(ahead), Resource.DESCRIPTORS) != expected


def test_void_steps_are_not_shown_as_measured(record):
    void = replace(record.steps[3], void="a worker was lost")
    spoiled = replace(record, steps=(*record.steps[:3], void, *record.steps[4:]))

    found = measured(spoiled, fitted_windows(spoiled), Resource.MEMORY)

    assert 3 not in [plateau.step.index for plateau in found]


def test_a_resource_that_was_never_read_has_no_measurement(record):
    assert measured(record, fitted_windows(record), Resource.TCP_MEMORY) == ()


def test_the_fit_meets_what_was_planted_at_every_load(record, plan):
    for wall in plan.ladder:
        for plateau in measured(record, fitted_windows(record), wall.resource):
            assert fitted(wall.cost, plateau.load) == pytest.approx(plateau.mean)
