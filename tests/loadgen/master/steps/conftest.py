"""Results of steps without any process: a crew that is there, and a record that is written nowhere."""

from types import SimpleNamespace

import pytest

from capacity.loadgen.master.steps.step_results import StepResults
from capacity.loadgen.master.workers.heard_reports import HeardReports
from capacity.workload.profiles.profile import Phase, Position

PHASES = (Phase.RAMP, Phase.SETTLE, Phase.PLATEAU)


class Written:
    """Takes what would be recorded."""

    def __init__(self):
        self.steps, self.events = [], []

    def event(self, kind, **detail):
        self.events.append((kind, detail["worker"]))

    def now(self):
        return 5.0

    def step(self, observation, histograms):
        self.steps.append((observation, histograms))


@pytest.fixture
def pool():
    return SimpleCrew({"a", "b"})


class SimpleCrew:
    """Workers that are there, without any process: who they are and what they hold."""

    def __init__(self, ids):
        self.ids, self.open_connections, self.users = ids, 10, 10
        self.most_open, self.opening = 10, 1
        self.connections_per_user = 1
        self.open_private, self.private_or_none, self.whole_clients = 0, None, None
        self.reports = HeardReports("")

    def how_lost(self, _worker):
        return "nothing is known of it"

    def longest_silence_s(self):
        return 0.0

    def __len__(self):
        return len(self.ids)


@pytest.fixture
def written():
    return Written()


@pytest.fixture
def made(pool, written):
    results = StepResults(pool, written)
    for phase in PHASES:
        results.begin(Position(index=0, phase=phase, since_s=0.0))
    return SimpleNamespace(results=results, written=written)


@pytest.fixture
def said_by_both(made, pool, report):
    """Let both workers say their one and last word about the plateau."""

    def say(*, seconds=4.0, **changes):
        for worker in ("a", "b"):
            said = report(seconds=seconds, is_final=True, **changes)
            pool.reports.is_new(worker, said)
            made.results.add(worker, said)

    return say
