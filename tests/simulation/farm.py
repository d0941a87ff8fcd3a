"""Locust's master and workers as our parts see them, without sockets: who is there, who has which users.

What is modelled is what Locust 2.4x does (`locust/runners.py`): a worker is ready, runs, is missed after
so many heartbeats that did not come, and is there again with the next one; who has stopped its users
goes and comes back as ready.
"""

from locust.stats import RequestStats

from types import SimpleNamespace

HEARTBEATS = 8
"""That may be missing, as `liveness.be_patient` sets it."""
READY, RUNNING, MISSING = "ready", "running", "missing"


class Event:
    def __init__(self):
        self._listeners = []

    def add_listener(self, listener):
        self._listeners.append(listener)

    def fire(self, **details):
        for listener in self._listeners:
            listener(**details)


class Node:
    """What the master knows of a worker."""

    def __init__(self, name):
        self.id, self.state, self.heartbeat, self.users = name, READY, HEARTBEATS, 0


class Nodes(dict):
    def in_state(self, *states):
        return [node for node in self.values() if node.state in states]

    @property
    def ready(self):
        return self.in_state(READY)

    @property
    def spawning(self):
        return []

    @property
    def running(self):
        return self.in_state(RUNNING)


class Runner:
    """What both sides have: handlers of messages, called by name."""

    def __init__(self, environment):
        self.environment = environment
        self.handlers = {}
        environment.runner = self
        self.stats, self.exceptions = environment.stats, {}

    def register_message(self, kind, handler, concurrent=False):  # noqa: FBT002 - Locust's signature
        self.handlers[kind] = handler

    def handle(self, world, kind, body, sender):
        """As Locust: what a handler raises is logged, and the next message comes."""
        try:
            self.handlers[kind](
                environment=self.environment,
                msg=SimpleNamespace(type=kind, data=body, node_id=sender),
            )
        except Exception as problem:  # noqa: BLE001 - `rules` asks for them
            world.handler_problems.append(problem)


class MarketSubscriber:
    """Whose users the simulated clients stand for."""

    weight, fixed_count = 1, 0


def environment_of(world):
    """Return what listeners and runners hang on. A class of its own, so that it can be referred to weakly."""

    class Environment:
        pass

    environment = Environment()
    environment.events = SimpleNamespace(test_stopping=Event(), test_stop=Event())
    environment.stats, environment.web_ui = RequestStats(), None
    environment.user_classes = [MarketSubscriber]
    environment.process_exit_code = None
    environment.world = world
    return environment


class Master(Runner):
    def __init__(self, world):
        super().__init__(environment_of(world))
        self._world = world
        self.clients = Nodes()
        self.state = READY
        self.shape_greenlet = None
        self.due = (0, 0.0)
        self.has_quit = False
        self.handlers |= {
            "client_ready": self._on_ready,
            "client_stopped": self._on_stopped,
            "heartbeat": self._on_heartbeat,
        }
        world.clock.spawn_in(world.master, self._watch_forever)

    @property
    def user_count(self):
        return sum(node.users for node in self.clients.values())

    def send_message(self, kind, body=None, client_id=None):
        for name in [client_id] if client_id else list(self.clients):
            self._world.note_told(kind, body, name)
            line = self._world.down.get(name)
            if line is not None:
                line.send(kind, body, "master")

    def start_shape(self):
        self.shape_greenlet = self._world.clock.spawn_in(self._world.master, self._offer_forever)

    def _offer_forever(self):
        session = self._world.session
        while (due := session.tick()) is not None:
            if due != self.due:
                self.due, self.state = due, RUNNING
                self._share()
            self._world.clock.sleep(1.0)
        self._world.note_exit()
        self.stop()
        self.shape_greenlet = None

    def _share(self):
        nodes = self.clients.in_state(READY, RUNNING)
        users, rate_per_s = self.due
        for number, node in enumerate(sorted(nodes, key=lambda node: node.id)):
            node.users = users // len(nodes) + (number < users % len(nodes))
            self.send_message("spawn", [node.users, rate_per_s / len(nodes)], node.id)

    def stop(self):
        if self.state != RUNNING:
            if self.shape_greenlet is not None:
                self._world.session.note_stop()
            return
        self.environment.events.test_stopping.fire()
        self.state = "stopping"
        shape = self.shape_greenlet
        if shape is not None and shape is not self._world.current():
            shape.kill()
            self.shape_greenlet = None
        for name in list(self.clients):
            self.send_message("stop", None, name)
        deadline_s = self._world.clock.now_s + 60.0
        while self.user_count and self._world.clock.now_s < deadline_s:
            self._world.clock.sleep(1.0)
        self.environment.events.test_stop.fire()
        self.state, self.due = "stopped", (0, 0.0)

    def _on_ready(self, msg, **_):
        self.clients[msg.node_id] = Node(msg.node_id)
        if self.state == RUNNING:
            self._share()

    def _on_stopped(self, msg, **_):
        self.clients.pop(msg.node_id, None)

    def _on_heartbeat(self, msg, **_):
        node = self.clients.get(msg.node_id)
        if node is None:
            return
        node.heartbeat = HEARTBEATS
        if node.state in {MISSING, READY, RUNNING}:
            node.state, node.users = msg.data["state"], msg.data["users"]

    def _watch_forever(self):
        while True:
            self._world.clock.sleep(1.0)
            for node in list(self.clients.values()):
                if node.heartbeat < 0 and node.state != MISSING:
                    node.state, node.users = MISSING, 0
                    if not self.clients.in_state(READY, RUNNING):
                        self.stop()
                else:
                    node.heartbeat -= 1


class Station(Runner):
    """A worker as Locust runs it: heartbeats, users, and our Worker in it."""

    def __init__(self, world, process, number):
        super().__init__(environment_of(world))
        self._world, self.process = world, process
        self.name, self.worker_index = process.name, number
        self.user_count, self.state, self.spawn_per_s = 0, READY, 0.0
        self.handlers |= {"spawn": self._on_spawn, "stop": self._on_stop, "quit": self._on_quit}
        world.clock.spawn_in(process, self._live)

    def send_message(self, kind, body=None, client_id=None):
        self._world.up[self.name].send(kind, body, self.name)

    def _live(self):
        self.send_message("client_ready")
        while True:
            self._world.clock.sleep(1.0)
            self.send_message("heartbeat", {"state": self.state, "users": self.user_count})

    def _on_spawn(self, msg, **_):
        self.user_count, self.spawn_per_s = msg.data
        self.state = RUNNING

    def _on_stop(self, msg, **_):
        if self.state == RUNNING:
            self.environment.events.test_stopping.fire()
            self.user_count, self.state = 0, READY
            self.send_message("client_stopped")
            self._world.clock.sleep(2.0)
            self.send_message("client_ready")

    def _on_quit(self, msg, **_):
        self._world.kill(self.name)
