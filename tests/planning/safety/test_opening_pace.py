import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.caveats import NEAR_CPU_RATIO, NEAR_LAG_S
from capacity.domain.observation import GeneratorHealth
from capacity.domain.run import RunEvent, RunRecord
from capacity.planning.safety.opening_pace import (
    BY_ARRIVALS,
    BY_PROFILE,
    BY_TARGET,
    HELD_BACK_RATIO,
    OpeningPace,
    opening_pace,
)

RECORDS = runpy.run_path(str(Path(__file__).parents[2] / "bare_records.py"))
SAMPLES = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))
CALM = GeneratorHealth(workers=1, lag_p95_s=0.003, cpu_ratio=0.1, descriptors_ratio=0.1)
LONGEST_UNHELD_S = 6.0 / HELD_BACK_RATIO


def step_of(took_s=40.0, connects=40, health=CALM, **told):
    step = RECORDS["step_of"](60, connects_per_s=400.0, settle_s=2.0)
    return RECORDS["observation_of"](
        step,
        started_at=100.0,
        plateau_started_at=100.0 + took_s + 2.0,
        connects=connects,
        generator_opening=health,
        **told,
    )


def record_of(*, host_cpu=None, events=(), same_host=False):
    gauges = {} if host_cpu is None else {"cpu_system_ratio": host_cpu}
    samples = tuple(
        SAMPLES["sample_of"](second, at=100.0 + second, gauges=gauges) for second in range(30)
    )
    return RunRecord(
        manifest=RECORDS["manifest_of"](same_host=same_host),
        steps=(),
        samples=samples,
        histograms={},
        events=events,
        missing=(),
    )


def pace_of(*steps, record=None, bearable_per_s=1e9):
    return opening_pace(
        steps,
        record or record_of(),
        fewest=20,
        profile_per_s=400.0,
        bearable_per_s=bearable_per_s,
    )


@pytest.mark.parametrize(
    "step",
    [
        step_of(LONGEST_UNHELD_S - 0.01),
        step_of(connects=19),
        step_of(0.0),
        replace(step_of(), plateau_started_at=None),
        step_of(LONGEST_UNHELD_S + 19.9, held_s=20.0),
    ],
    ids=["in time", "few", "at once", "never", "held by pollers that came first"],
)
def test_where_nothing_held_connections_back_the_profile_sets_their_pace(step):
    assert OpeningPace(per_s=400.0, by=BY_PROFILE) == pace_of(step)


def test_a_ramp_that_took_more_than_twice_its_time_was_held_back_by_the_target():
    pace = pace_of(step_of(LONGEST_UNHELD_S + 0.01))

    assert BY_TARGET == pace.by
    assert pytest.approx(40 / 12.01) == pace.per_s
    assert pytest.approx(6.01) == pace.lost_s


@pytest.mark.parametrize(
    ("reading", "is_busy"),
    [
        ({"lag_p95_s": NEAR_LAG_S}, False),
        ({"lag_p95_s": NEAR_LAG_S + 0.001}, True),
        ({"cpu_ratio": NEAR_CPU_RATIO}, False),
        ({"cpu_ratio": NEAR_CPU_RATIO + 0.01}, True),
    ],
)
def test_the_target_is_not_accused_while_the_generator_was_busy(reading, is_busy):
    pace = pace_of(step_of(health=replace(CALM, **reading)))

    assert is_busy == pace.by.startswith("the load generator, which was busy")
    assert is_busy == (BY_TARGET != pace.by)


@pytest.mark.parametrize(("host_cpu", "is_busy"), [(0.90, False), (0.91, True), (None, False)])
@pytest.mark.parametrize("same_host", [False, True])
def test_nor_while_all_processors_of_its_host_were_used(host_cpu, is_busy, same_host):
    pace = pace_of(step_of(), record=record_of(host_cpu=host_cpu, same_host=same_host))

    assert is_busy == ("processors were at 91 %" in pace.by)
    assert (is_busy and same_host) == ("which the load generator shares" in pace.by)


@pytest.mark.parametrize(("at", "is_ours"), [(99.9, False), (100.0, True), (140.1, False)])
def test_nor_for_what_the_run_itself_slowed_down(at, is_ours):
    events = (RunEvent(at=at, kind="eased", detail={}),)

    assert is_ours == ("sign of distress" in pace_of(step_of(), record=record_of(events=events)).by)


def test_what_the_targets_processors_allow_counts_where_it_is_less():
    assert BY_ARRIVALS == pace_of(step_of(), bearable_per_s=0.9).by
    assert BY_TARGET == pace_of(step_of(), bearable_per_s=1.1).by


def test_the_last_ramp_sets_the_pace_and_all_of_them_the_time_that_was_lost():
    pace = pace_of(step_of(30.0), step_of(26.0), step_of(6.0))

    assert (BY_PROFILE, 400.0) == (pace.by, pace.per_s)
    assert pytest.approx(24.0 + 20.0) == pace.lost_s
