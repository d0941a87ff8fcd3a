"""The clients of a simulated worker, its target and the agent: what is opened, delivered and sampled.

Whatever a worker counts is written down beside it, so that the record can be held against it.
"""

from types import SimpleNamespace

from capacity.domain.errors import UnreachableError
from capacity.domain.resources import Resource
from capacity.domain.run import ClockOffset
from capacity.domain.sample import Sample
from capacity.loadgen.protocol.counters import Counters

TICK_S = 0.2
DELIVERIES_PER_S = 10
"""To each connection."""


class Target:
    """What is loaded. Healthy, it takes everybody in and delivers at once."""

    def __init__(self, most=None):
        self.most = most
        self.open = 0
        self.most_open = 0
        self.is_dead = False
        self.has_done_harm = most is not None
        """It refused or ended connections, so that a run may blame it."""
        self.epoch = 0
        """Raised whenever it ends all its connections."""

    def accept(self):
        if self.is_dead or (self.most is not None and self.open >= self.most):
            return False
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        return True

    def drop_all(self):
        self.has_done_harm = True
        self.open, self.epoch = 0, self.epoch + 1

    def die(self):
        self.drop_all()
        self.is_dead = True


class Held(list):
    """Connections, all of which were let in."""

    @property
    def entered(self):
        return len(self)


class Clients:
    """Stands in for `client.clients.Clients`: the same counters, without sockets."""

    drill = None
    """Nobody is cut."""
    private = None
    """All are public."""

    def __init__(self, orders, number, *, world):
        station = world.stations[world.current().process.name]
        self._world, self._station, self._clock = world, station, world.clock
        self.run = world.run_number_of(orders)
        world.begun.append((station.name, orders.run))
        self.counters = Counters(since_s=self._clock.now_s)
        self.connections = Held()
        self.stage = None
        self.probe = SimpleNamespace(cpu_ratio=lambda: 0.1)
        self.connect_pacer = SimpleNamespace(failures={}, has_given_up=False, under_way=0)
        self._epoch = world.target.epoch
        self._since_s, self._due, self._credit = self._clock.now_s, 0.0, 0.0
        self._ticking = world.clock.spawn_in(station.process, self._tick_forever)

    def turn_to(self, stage):
        self.stage = stage
        self.counters.turn_to(stage.index, stage.phase)
        self._world.note_turn(self, stage)

    def take(self, now_s):
        return self.counters.take(now_s)

    def catch_up(self):
        self._deliver()

    def sum_up(self):
        """Who was served is told by the real clients' own tests."""

    def close(self):
        self._ticking.kill(block=False)
        for _ in self.connections:
            self._leave()
        self.connections = Held()

    def _leave(self):
        if self._epoch == self._world.target.epoch:
            self._world.target.open -= 1

    def _tick_forever(self):
        while True:
            self._clock.sleep(TICK_S)
            self._lose()
            self._deliver()
            self._open_and_close()

    def _lose(self):
        if self._epoch != self._world.target.epoch:
            self._epoch = self._world.target.epoch
            self.counters.open_before_loss = len(self.connections)
            self._count("lost", len(self.connections))
            if self.connections:
                self.counters.fail("connection_reset", len(self.connections))
            self.connections = Held()

    def _deliver(self):
        """Count what came since the last time, also what waited in sockets while we were stopped."""
        now_s = self._clock.now_s
        self._due += DELIVERIES_PER_S * len(self.connections) * (now_s - self._since_s)
        self._since_s, whole = now_s, int(self._due)
        self._due -= whole
        self._count("deliveries", whole)

    def _open_and_close(self):
        if self.stage is None:
            return
        users = self._station.user_count
        while len(self.connections) > users:
            self.connections.pop()
            self._leave()
        self._credit = min(1.0, self._credit) + self.stage.connects_per_s * TICK_S
        while self._credit >= 1.0 and len(self.connections) < users:
            self._credit -= 1.0
            if self._world.target.accept():
                self.connections.append(object())
                self._count("connects", 1)
            else:
                self.counters.fail("connect_refused")

    def _count(self, name, count):
        setattr(self.counters, name, getattr(self.counters, name) + count)
        self._world.note_count(self, name, count)


class Agent:
    """Stands in for `sources.agent.AgentClient` and for the agent behind it."""

    name = "the agent of the simulation"
    delay_s = 1.0

    def __init__(self, world):
        self._world = world
        self.process = world.agent_process
        self._samples = []
        self.is_cut = False
        self.taken = 0
        world.clock.spawn_in(self.process, self._sample_forever)

    def restart(self):
        self._samples = []

    def _sample_forever(self):
        while True:
            self._world.clock.sleep(1.0)
            target = self._world.target
            self.taken += 1
            self._samples.append(
                Sample(
                    seq=len(self._samples) + 1,
                    at=self._world.clock.wall(),
                    interval_s=1.0,
                    used={Resource.DESCRIPTORS: float(target.open)},
                    gauges={},
                    counters={},
                    missing={},
                    target_started_at=None if target.is_dead else 1.0,
                )
            )

    def _answer(self):
        self._world.clock.sleep(0.05 * self._world.chance.random())
        if self.is_cut:
            raise UnreachableError("the agent does not answer")

    def info(self):
        self._answer()
        return self._world.agent_info

    def clock_offset(self):
        return ClockOffset(offset_s=0.0, error_s=0.0)

    def samples(self, since):
        self._answer()
        if self._samples and self._samples[-1].seq < since:
            since = 0
        return [sample for sample in self._samples if sample.seq > since]

    def port_holders(self, port):
        return None

    def close(self):
        pass
