"""One simulated run, or two in a row: the product's own session, controller, recorder, worker pool, check-in
and workers, on a clock and lines of our own; what happens to them is drawn from the seed.
"""

import locust  # noqa: F401 - must patch before anything else is imported

import random
from argparse import Namespace
from dataclasses import dataclass, field
from functools import partial

import greenlet
from clients import Agent, Target
from clockwork import Clock, Process
from farm import Master, Station
from simulated_network import Line
from simulated_settings import AGENT_INFO, dialect_here, step

from capacity.domain.run import ClockOffset
from capacity.loadgen.checks.preflight import Preflight
from capacity.loadgen.checks.worker_identity import WorkerIdentity
from capacity.loadgen.client import worker as worker_module
from capacity.loadgen.master import session
from capacity.loadgen.protocol import messages

LONGEST_RUN_S = 240.0
WORKER_PIDS = 7_000_000
MASTER_PID = 6_999_999


@dataclass
class Written:
    """A run's record as it was written, line by line, in place of the files."""

    lines: list = field(default_factory=list)
    fails_from: int | None = None
    """The write from which on the disk is full."""
    lines_at_exit: int | None = None
    """Lines that were there when the process could end."""

    def _append(self, kind, what):
        if self.fails_from is not None and len(self.lines) >= self.fails_from:
            raise OSError(28, "No space left on device")
        self.lines.append((kind, what))

    def append_event(self, event):
        self._append("event", event)

    def append_step(self, observation):
        self._append("step", observation)

    def append_samples(self, samples):
        self._append("samples", tuple(samples))

    def append_histogram(self, index, series, histogram):
        self._append("histogram", (index, series, dict(histogram.counts)))

    def append_point(self, point):
        self._append("point", point)

    def of(self, kind):
        return [what for each, what in self.lines if each == kind]


class World:
    def __init__(self, seed, *, weather, workers=2, most=None, has_agent=True):
        self.chance = random.Random(f"world-{seed}")
        self.clock = Clock(self.chance)
        self.weather = weather
        self.master = Process("master")
        self.agent_process = Process("agent")
        self.target = Target(most)
        self.down, self.up = {}, {}
        self.stations, self.pids = {}, {}
        self.first = ()
        """The workers that were there from the beginning."""
        self.handler_problems = []
        self.told = []
        """(run, kind, worker, moment) of every message of ours that the master sent."""
        self.counted = {}
        """(run, index, phase) -> name -> what all workers counted under that tag."""
        self.begun = []
        """(worker, run) of each time that a worker has begun a run."""
        self.records = []
        self.tokens = {}
        self.disk_fails_from = None
        self.is_calm = False
        self.steps = (step(0), step(4), step(8), step(3))
        self.options = Namespace(
            capacity_target="t",
            capacity_profile="p",
            capacity_run="run",
            capacity_resume=None,
            expect_workers=workers,
            processes=workers,
            headless=True,
        )
        self.agent_info = AGENT_INFO
        self._has_agent, self._workers = has_agent, workers

    def populate(self):
        """Start the processes."""
        self.runner = Master(self)
        self.runner.environment.parsed_options = self.options
        self.agent = Agent(self) if self._has_agent else None
        self.session = session.Session(self.runner.environment)
        for _ in range(self._workers):
            self.add_worker()
        self.first = tuple(self.stations)

    def current(self):
        return greenlet.getcurrent()

    # What happens.

    def add_worker(self):
        number = len(self.stations)
        process = Process(f"worker-{number}")
        self.pids[process.name] = WORKER_PIDS + number
        self.down[process.name] = Line(
            self.clock, self.chance, self.weather, process, partial(self._to_worker, process.name)
        )
        self.up[process.name] = Line(
            self.clock, self.chance, self.weather, self.master, partial(self.runner.handle, self)
        )
        if self.is_calm:
            self.calm_down()
        station = Station(self, process, number)
        self.stations[process.name] = station
        station.worker = worker_module.Worker(station.environment)

    def _to_worker(self, name, *message):
        self.stations[name].handle(self, *message)

    def kill(self, name):
        station = self.stations[name]
        if station.process.is_dead:
            return
        station.process.is_dead = True
        self.up[name].is_cut = self.down[name].is_cut = True
        if station.worker.clients is not None:
            station.worker.clients.close()

    def stop(self, process, seconds):
        process.awake_at_s = max(process.awake_at_s, self.clock.now_s + seconds)

    def do(self, function, *arguments):
        """Have the master's process do something that may wait."""
        self.clock.spawn_in(self.master, function, *arguments)

    def calm_down(self):
        self.is_calm = True
        for line in (*self.down.values(), *self.up.values()):
            line.calm_from_s = self.clock.now_s

    # What is known besides.

    @property
    def alive(self):
        return [each for each in self.stations.values() if not each.process.is_dead]

    def run_number_of(self, orders):
        return self.tokens.get(getattr(orders, "run", None), len(self.records) - 1)

    def note_told(self, kind, body, worker):
        if kind in {messages.BEGIN, messages.STAGE, messages.END}:
            if kind == messages.BEGIN:
                self.tokens.setdefault(body.get("run"), len(self.records) - 1)
            self.told.append((len(self.records) - 1, kind, worker, self.clock.now_s))

    def note_exit(self):
        """Locust ends the process here: what is not recorded by now never is."""
        if self.records:
            self.records[-1].lines_at_exit = len(self.records[-1].lines)

    def note_turn(self, clients, stage):
        pass

    def note_count(self, clients, name, count):
        counters = clients.counters
        under = self.counted.setdefault((clients.run, counters.index, counters.phase), {})
        under[name] = under.get(name, 0) + count

    def writer(self, path, manifest):
        self.records.append(Written(fails_from=self.disk_fails_from))
        return self.records[-1]

    def preflight(self, target, profile, *, workers):
        info = None
        if self.agent is not None:
            info = self.agent.info()
        return Preflight(
            dialect=dialect_here(),
            agent=self.agent,
            info=info,
            clock_offset=None if info is None else ClockOffset(offset_s=0.0, error_s=0.0),
            limits=(),
            audited_bound=None,
            audited_by=None,
            steps=self.steps,
            most_requests_per_s=0.0,
            most_orders_per_s=0.0,
            experiment=None,
            rules=None,
            declared=(),
            hosts={},
            same_host=False,
        )

    def identity(self, target, dialect):
        return WorkerIdentity(
            host="generator",
            boot_id="generator",
            network="net",
            cores=2,
            descriptors=1000,
            ports=1000,
            addresses=(),
            trouble=None,
            pid=self.own_pid(),
        )

    def own_pid(self):
        return self.pids[self.current().process.name]

    def parent_of(self, pid):
        """Return who started a process: ours, as long as it lives."""
        name = next((name for name, each in self.pids.items() if each == pid), None)
        lives = name is not None and not self.stations[name].process.is_dead
        return MASTER_PID if lives else None
