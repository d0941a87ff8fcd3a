"""A recorder, and a way to its agent that can be cut."""

import gevent
import pytest

from capacity.loadgen.checks.preflight import check
from capacity.loadgen.master import recorder as recorder_module
from capacity.loadgen.master.recorder import Recorder
from capacity.settings.profile import ADAPTER

PROFILE = ADAPTER.validate_python({"profile": 1, "name": "tiny", "kind": "ramp", "levels": [2]})
PATIENCE_S = 10


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(recorder_module, "FETCH_INTERVAL_S", 0.15)


@pytest.fixture
def record(tmp_path):
    """Begin the record of a run against a target; its fetching ends with the test."""
    begun = []

    def begin(target, profile=PROFILE):
        preflight = check(target, PROFILE, workers=1)
        begun.append(Recorder(tmp_path / "run", target, profile, preflight, 1))
        return begun[-1]

    yield begin
    gevent.killall([recorder.fetching for recorder in begun if recorder.fetching is not None])


def wait_until(condition):
    with gevent.Timeout(PATIENCE_S):
        while not condition():
            gevent.sleep(0.02)


def numbers_of(samples):
    return [sample.seq for sample in samples]
