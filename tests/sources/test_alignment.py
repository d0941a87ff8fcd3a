"""Two clocks whose distance was planted."""

import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from capacity.domain.resources import Resource
from capacity.sources.alignment import offset_between

point_of = runpy.run_path(str(Path(__file__).parents[1] / "bare_records.py"))["point_of"]
sample_of = runpy.run_path(str(Path(__file__).parents[1] / "agent_samples.py"))["sample_of"]

LEVELS = (0, 40, 0, 90, 150)
STEP_S, RAMP_S = 20, 4


def connections(second):
    step, into = divmod(second, STEP_S)
    if step >= len(LEVELS):
        return LEVELS[-1]
    before = LEVELS[step - 1] if step else 0
    return before + (LEVELS[step] - before) * min(1.0, into / RAMP_S)


def points(begin_at=5000.0):
    return [
        point_of(at=begin_at + second, open_connections=round(connections(second)))
        for second in range(STEP_S * len(LEVELS))
    ]


def samples(offset_s, resource=Resource.DESCRIPTORS, scale=1.02, curve=connections):
    return [
        sample_of(
            n + 1,
            at=5000.0 + second + offset_s,
            used={resource: 9 + scale * curve(second)},
        )
        for n, second in enumerate(range(-30, STEP_S * len(LEVELS) + 30))
    ]


@pytest.mark.parametrize("offset_s", [-1800.0, -3.4, 0.0, 0.5, 12.0, 1234.5])
def test_the_planted_offset_lies_within_the_error(offset_s):
    found = offset_between(points(), samples(offset_s))

    assert abs(found.offset_s - offset_s) <= found.error_s
    assert 1.0 <= found.error_s < 3.0


@examples(max_examples=5)
@given(offset_s=st.floats(-60, 60), scale=st.floats(0.5, 40))
def test_it_does_not_depend_on_what_a_connection_costs(offset_s, scale):
    found = offset_between(points(), samples(offset_s, scale=scale))

    assert abs(found.offset_s - offset_s) <= found.error_s


def test_an_agent_that_ended_with_the_run_leaves_few_shifts_and_no_doubt_of_the_others():
    short = [sample for sample in samples(2.0) if 4995 <= sample.at <= 5103]
    found = offset_between(points(), short)

    assert abs(found.offset_s - 2.0) <= found.error_s < 3.0


def test_connections_tell_where_descriptors_do_not():
    found = offset_between(points(), samples(2.0, Resource.APPLICATION_CONNECTIONS))

    assert 2.0 == pytest.approx(found.offset_s, abs=found.error_s)


@pytest.mark.parametrize(
    "told",
    [
        samples(0.0, Resource.MEMORY),
        samples(0.0, curve=lambda _second: 7),
        samples(0.0, curve=lambda second: 50 * (second * 7919 % 13)),
        samples(0.0)[:10],
        [],
    ],
    ids=["another resource", "constant", "noise", "too few", "none"],
)
def test_curves_that_do_not_tell_give_no_offset(told):
    assert offset_between(points(), told) is None
