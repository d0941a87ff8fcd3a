"""The Locust user that holds WebSocket connections: while they are open, it is a row in a table.

A greenlet that sleeps beside each connection would cost more memory than the connection itself. Here
one runs only while something is to be opened.
"""

from locust import User, task

import random
import time
from typing import Any

import gevent
from gevent.pool import Group

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.slots.connection_slot import ConnectionSlot
from capacity.loadgen.client.worker import clients_or_none
from capacity.loadgen.protocol.counters import LOGIN_REFUSED
from capacity.loadgen.wire.handshake import HandshakeError
from capacity.workload.profiles.pacing import asked_pause_s
from capacity.workload.reconnect import ReconnectPolicy


class Subscriber(User):
    """Owns one or many connections (`connections_per_user` of the profile) and keeps them open."""

    abstract = True
    host = "http://named-in-the-target-file"
    """Fills Locust's form; a run takes its address from the target file."""
    by_default = True
    """Takes part where nobody picks classes."""
    reads_slowly = False
    """Reads below the publish rate, as the profile's slow_read_bytes_per_s says."""
    churn_per_s = 0.0
    """How often each connection is closed and opened again per second while a step is held."""
    trades = False
    """Sends orders beside what it follows."""
    reconnect = ReconnectPolicy(policy="full_jitter", base_s=0.5, factor=2.0, cap_s=10.0)

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._slots: list[ConnectionSlot] = []
        self._clients: Clients | None = None
        self._opener: gevent.Greenlet | None = None
        self._asked_s = 0.0
        """Longest wait that the target asked for when it refused the last attempts (Retry-After)."""

    @property
    def slots(self) -> list[ConnectionSlot]:
        """Return this user's connections, open or about to be."""
        return self._slots

    def start(self, group: Group) -> gevent.Greenlet:
        """Become one of Locust's users: it counts *group* and finds users by its members' args."""
        self._group = group
        self._greenlet = gevent.Greenlet(type(self).stay_subscribed, self)  # Is never started.
        group.add(self._greenlet)
        self._opener = gevent.spawn(self.stay_subscribed)
        return self._greenlet

    def stop(self, force: bool = False) -> bool:  # noqa: ARG002, FBT001, FBT002 - Locust's signature
        """Leave now; there is nothing to be finished first."""
        if self._opener is not None:
            self._opener.kill()
        if self._clients is not None:
            self._clients.leave(self._slots)
        return bool(super().stop(force=True))

    @task
    def stay_subscribed(self) -> None:
        """Open what is not open; is called again when a connection is lost."""
        clients = self._clients or self._join()
        if clients is None:
            return
        failed_attempts = 0
        while not clients.is_over and (closed := [slot for slot in self._slots if slot.is_missing]):
            self._asked_s = 0.0
            is_refused, is_new_stage = not self._connect(closed), False
            if is_refused or any(slot.is_missing for slot in closed):
                # A new stage is a new load: who waits out an earlier refusal takes part at once, and
                # begins to wait anew where that is too early.
                delay_s = self._asked_s + self._delay_s(failed_attempts)
                is_new_stage = clients.stage_changed.wait(delay_s)
            failed_attempts = failed_attempts + 1 if is_refused and not is_new_stage else 0
        self._opener = None

    def _join(self) -> Clients | None:
        self._clients = clients_or_none(self)
        if self._clients is None:
            return None
        self._slots = self._clients.join(
            self._clients.connections_per_user,
            self._on_lost,
            reads_slowly=self.reads_slowly,
            churns=self.churn_per_s > 0,
        )
        return self._clients

    def _on_lost(self, *, at_once: bool = False) -> None:
        if self._opener is None:
            delay_s = 0.0 if at_once else self._delay_s(0)
            self._opener = gevent.spawn_later(delay_s, self.stay_subscribed)

    def _delay_s(self, failed_attempts: int) -> float:
        return self.reconnect.delay_s(failed_attempts, random.random())  # noqa: S311 - jitter, not secrecy

    def _connect(self, slots: list[ConnectionSlot]) -> bool:
        """Try each in its turn, none waiting for the one before; return whether none failed."""
        assert self._clients is not None
        failed: list[ConnectionSlot] = []
        attempts = Group()
        try:
            for slot in slots:
                self._clients.connect_pacer.wait()
                if self._clients.is_over:
                    break  # Nothing is to be opened any more; Locust ends this user soon.
                if len(slots) == 1:
                    self._attempt(slot, failed)
                else:
                    attempts.spawn(self._attempt, slot, failed)
            attempts.join()
        finally:
            attempts.kill()
        return not failed

    def _attempt(self, slot: ConnectionSlot, failed: list[ConnectionSlot]) -> None:
        assert self._clients is not None
        started_s = time.perf_counter()
        error: HandshakeError | None = None
        pacer = self._clients.connect_pacer
        began_s = pacer.began()
        try:
            slot.open()
        except HandshakeError as failure:
            error = failure
            failed.append(slot)
            slot.kind.counters.fail(str(failure))
            if str(failure) == LOGIN_REFUSED:
                slot.kind.counters.note_refused_login(slot.kind.values.number_of(slot.index))
            self._asked_s = max(self._asked_s, asked_pause_s(failure.retry_after, time.time()))
            if failure.told is not None:
                slot.kind.counters.note_said(slot.without_secrets(failure.told))
            pacer.failed(began_s, str(failure))
        except gevent.GreenletExit:
            pacer.left()
            raise
        else:
            pacer.opened(began_s)
        self.environment.events.request.fire(
            request_type="WS",
            name=slot.kind.request_name,
            response_time=(time.perf_counter() - started_s) * 1000,
            response_length=0,
            exception=error,
            context={},
        )
