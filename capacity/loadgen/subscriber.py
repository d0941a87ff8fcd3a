"""The Locust user that holds WebSocket connections. Its greenlet sleeps while they are open."""

from locust import User, task

import random
import time
from typing import Any

import gevent
from gevent.event import Event

from capacity.loadgen.feed import Feed
from capacity.loadgen.fleet import Fleet
from capacity.loadgen.handshake import HandshakeError
from capacity.loadgen.worker import fleet_of
from capacity.workload.reconnect import ReconnectPolicy


class Subscriber(User):
    """Owns one or many connections (`connections_per_user` of the profile) and keeps them open."""

    abstract = True
    host = "http://named-in-the-target-file"
    """Fills Locust's form; a run takes its address from the target file."""
    reconnect = ReconnectPolicy(policy="full_jitter", base_s=0.5, factor=2.0, cap_s=10.0)

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._lost = Event()
        self._feeds: list[Feed] = []
        self._fleet: Fleet | None = None

    def on_start(self) -> None:
        self._fleet = fleet_of(self.environment)
        self._feeds = self._fleet.join(self._fleet.connections_per_user, self._lost.set)

    def on_stop(self) -> None:
        if self._fleet is not None:
            self._fleet.leave(self._feeds)

    @task
    def stay_subscribed(self) -> None:
        """Open what is not open, then sleep until a connection is lost."""
        failed_attempts = 0
        while True:
            self._lost.clear()
            closed = [feed for feed in self._feeds if not feed.is_open]
            if all([self._connect(feed) for feed in closed]):  # noqa: C419 - every one must be tried
                failed_attempts = 0
                self._lost.wait()  # Returns at once when one was lost while others connected.
                delay_s = self.reconnect.delay_s(0, random.random())  # noqa: S311 - jitter, not secrecy
            else:
                delay_s = self.reconnect.delay_s(failed_attempts, random.random())  # noqa: S311 - as above
                failed_attempts += 1
            gevent.sleep(delay_s)

    def _connect(self, feed: Feed) -> bool:
        fleet = self._fleet
        assert fleet is not None
        fleet.turnstile.wait()
        if fleet.is_over:
            return True  # Nothing is to be opened any more; Locust ends this user soon.
        started_s = time.perf_counter()
        error: HandshakeError | None = None
        try:
            feed.open()
        except HandshakeError as failure:
            error = failure
            fleet.ledger.fail(str(failure))
        self.environment.events.request.fire(
            request_type="WS",
            name="connect",
            response_time=(time.perf_counter() - started_s) * 1000,
            response_length=0,
            exception=error,
            context={},
        )
        return error is None
