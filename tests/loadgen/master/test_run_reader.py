"""What is read at one moment of a run of two steps, with and without guards."""

from types import SimpleNamespace

import pytest

from capacity.loadgen.master.run_reader import RunReader
from capacity.loadgen.master.steps.ramp_progress import RampProgress
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.settings.profile import ADAPTER
from capacity.workload.profiles.profile import Mix, Pace, Phase, Position, ramp_steps

MIX = Mix(subscriptions_per_connection=1, requests_per_s_per_connection=0.0, poll_interval_s=1.0)
PACE = Pace(connects_per_s=100.0, ramp_timeout_s=10.0, settle_s=1.0, plateau_s=4.0)
STEPS = [step for level in (60, 20) for step in ramp_steps(levels=[level], mix=MIX, pace=PACE)[1:]]
RESULTS = SimpleNamespace(
    loss=lambda step: f"of {step.connections}",
    merged=lambda _index, _phase: MergedCounts(),
    connections_peak=60,
    admitted=41,
    lost_before=lambda _position: 3,
)
POOL = SimpleNamespace(open_connections=41, refused_by={"a": 1})


def read(index=0, phase=Phase.RAMP, progress=None, *, is_search=False, guards=None):
    asked = {"profile": 1, "name": "tiny", "kind": "ramp", "levels": [2], "guards": guards}
    reader = RunReader(
        ADAPTER.validate_python(asked),
        POOL,
        RESULTS,
        SimpleNamespace(samples=["a sample"]),
        progress,
        is_search=is_search,
    )
    return reader.read(STEPS, Position(index=index, phase=phase, since_s=0.0), 12.5)


def test_a_reading_is_of_the_step_that_is_under_way():
    reading = read(index=1)

    assert ("of 20", 41, 12.5, ["a sample"]) == (
        reading.loss,
        reading.open_connections,
        reading.elapsed_s,
        reading.samples,
    )


def test_only_a_ramp_that_takes_its_time_is_asked_how_long_it_stalled():
    progress = RampProgress()
    progress.begin(0, 10.0)

    assert (None, 2.5) == (read().stalled_s, read(progress=progress).stalled_s)


def test_a_way_down_has_its_time_whoever_stalls():
    progress = RampProgress()
    progress.begin(60, 10.0)

    assert read(index=1, progress=progress).stalled_s is None


@pytest.mark.parametrize(
    ("is_search", "guards", "is_guarded"),
    [(False, None, True), (True, None, False), (True, {}, True)],
)
def test_a_search_is_guarded_only_where_its_profile_says_so(is_search, guards, is_guarded):
    assert is_guarded is (read(is_search=is_search, guards=guards).moment is not None)


@pytest.mark.parametrize(("phase", "is_leaving"), [(Phase.RAMP, True), (Phase.PLATEAU, False)])
def test_who_leaves_on_the_way_down_is_not_missed_but_on_its_plateau(phase, is_leaving):
    moment = read(index=1, phase=phase).moment

    assert (is_leaving, True, 3) == (moment.is_leaving, moment.is_loaded, moment.lost_before)
