"""A worker's part in a run: obeys the master's stages and reports what it counted."""

from locust import User
from locust.env import Environment

import gc
import logging
import os
import time
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from gevent.event import Event

from capacity.domain.errors import ProtocolError
from capacity.loadgen.checks.worker_identity import PROGRAM, addresses_here, identity_here
from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.locust_stats import add_deliveries
from capacity.loadgen.client.self_monitor import ClockWatch, descriptors_ratio
from capacity.loadgen.protocol import messages
from capacity.loadgen.protocol.instructions import RunInstructions, Stage
from capacity.loadgen.wire.process_limits import raise_descriptor_limit
from capacity.settings import dialect as dialect_settings
from capacity.settings.target import Target
from capacity.settings.targets.source_addresses import addresses_in
from capacity.workload.profiles.profile import Phase

REPORT_INTERVAL_S = 0.5
INSTRUCTIONS_TIMEOUT_S = 10.0
"""Locust starts the users of a worker that joins while a run is on before its instructions are there."""

logger = logging.getLogger(__name__)

_workers: "WeakKeyDictionary[Environment, Worker]" = WeakKeyDictionary()


def clients_of(environment: Environment) -> Clients:
    """Return the clients that the users of *environment* belong to, at their start.

    Waits for the instructions of a run. Raises ProtocolError when none is on: Locust's users alone offer
    nothing.
    """
    worker = _workers.get(environment)
    if worker is not None:
        worker.has_instructions.wait(INSTRUCTIONS_TIMEOUT_S)
    if worker is None or worker.clients is None:
        raise ProtocolError("users started without a run: let the load profile start them")
    return worker.clients


def clients_or_none(user: User) -> Clients | None:
    """Return the clients that *user* belongs to; None, and say so, where there is no run."""
    try:
        return clients_of(user.environment)
    except ProtocolError as error:
        logger.error("%s", error)  # noqa: TRY400 - the sentence is for a person
        user.environment.events.user_error.fire(
            user_instance=user, exception=error, tb=error.__traceback__
        )
        return None


def clients_or_leave(user: User) -> Clients:
    """Return the clients that *user* belongs to, in its on_start; it ends where there is no run.

    Of what ends a user there, Locust logs all but a GreenletExit with a traceback.
    """
    clients = clients_or_none(user)
    if clients is None:
        raise gevent.GreenletExit
    return clients


def set_garbage_aside() -> None:
    """Look for garbage now, and not among what is there until the next call.

    A full collection stops everything for 40 ms already with 1,500 users, and would be measured. What
    an earlier call set aside is looked at again: users that have left since are garbage.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class Worker:
    """Holds the clients of the present run; None between runs."""

    def __init__(self, environment: Environment) -> None:
        raise_descriptor_limit()
        self._environment = environment
        _workers[environment] = self
        self.clients: Clients | None = None
        self.has_instructions = Event()
        self._reporter: gevent.Greenlet | None = None
        self._run = ""
        self._reports = 0
        """Sent in this run."""
        self._stage_number = 0
        """Of the stage that is obeyed."""
        self._clock = ClockWatch()
        runner = environment.runner
        assert runner is not None
        runner.register_message(messages.CHECK_IN, self._on_check_in, concurrent=True)
        runner.register_message(messages.BEGIN, self._on_begin)
        runner.register_message(messages.STAGE, self._on_stage)
        runner.register_message(messages.END, self._on_end)
        # Who was missed while the run ended was not told so; that its users stop it always is.
        environment.events.test_stopping.add_listener(self._on_end)

    def _on_check_in(self, msg: Any, **_kwargs: Any) -> None:
        asked, identity = msg.data, None
        # What another program asks may have another form: it is only told that we differ.
        if asked["program"] == PROGRAM and asked["question"] is not None:
            target = Target.model_validate(asked["question"]["target"])
            dialects = [dialect_settings.parse(data) for data in asked["question"]["dialects"]]
            identity = identity_here(target, *dialects).as_message()
        runner = self._environment.runner
        assert runner is not None
        runner.send_message(
            messages.PRESENT,
            {
                "program": PROGRAM,
                "identity": identity,
                "asked_at": asked["asked_at"],
                "now": time.time(),
            },
        )

    def _on_begin(self, msg: Any, **_kwargs: Any) -> None:
        instructions = RunInstructions.from_message(msg.data)
        if self.clients is not None and instructions.run == self._run:
            return  # Told again because we were slow: who begins anew loses its connections.
        self._close()
        target = instructions.target
        own = addresses_here(addresses_in(target["source_addresses"]))
        instructions = replace(instructions, target={**target, "source_addresses": own})
        number = getattr(self._environment.runner, "worker_index", 0)  # A master has none.
        self.clients = Clients(instructions, max(0, number))
        self._run, self._reports, self._stage_number = instructions.run, 0, 0
        self._clock = ClockWatch()
        self.has_instructions.set()
        self._reporter = gevent.spawn(self._report_forever)

    def _on_stage(self, msg: Any, **_kwargs: Any) -> None:
        stage = Stage.from_message(msg.data)
        if self.clients is None or stage.run != self._run:
            return  # Joined while a run was on: the master has voided the step already.
        if 0 < stage.number <= self._stage_number:
            return
        self._stage_number = stage.number
        counters = self.clients.counters
        # The same phase at another pace is not over: more is counted under its tag.
        is_over = (stage.index, stage.phase) != (counters.index, counters.phase)
        if is_over:
            self.clients.catch_up()
        self._report(is_final=is_over)
        self.clients.turn_to(stage)
        if stage.phase == Phase.SETTLE:
            set_garbage_aside()

    def _on_end(self, msg: Any = None, **_kwargs: Any) -> None:
        if msg is not None and self.clients is not None and msg.data not in {None, self._run}:
            return  # Of a run before.
        if self.clients is not None:
            self._report(is_final=True)
        self._close()

    def _close(self) -> None:
        if self._reporter is not None:
            self._reporter.kill(block=False)
        if self.clients is not None:
            self.clients.close()
        self.has_instructions.clear()
        self.clients = self._reporter = None
        gc.unfreeze()

    def _report_forever(self) -> None:
        while True:
            gevent.sleep(REPORT_INTERVAL_S)
            if self.clients is None:
                return  # Both were due at once, and the end came first.
            self._report(is_final=False)

    def _report(self, *, is_final: bool) -> None:
        clients, runner = self.clients, self._environment.runner
        assert clients is not None
        assert runner is not None
        if is_final:
            clients.sum_up()
        report = clients.take(time.monotonic())
        self._reports += 1
        report |= {"is_final": is_final, "run": self._run, "number": self._reports}
        report["clock_set_s"] = self._clock.set_s()
        report["drill"] = None if clients.drill is None else clients.drill.take()
        report["gauges"] = {
            "open_connections": clients.connections.entered,
            "most_open": max(clients.connections.entered, report.pop("open_before_loss")),
            "open_private": 0 if clients.private is None else clients.private.open_connections,
            "opening": clients.connect_pacer.under_way,
            "users": runner.user_count,
            "cpu_ratio": clients.probe.cpu_ratio(),
            "descriptors_ratio": descriptors_ratio(),
            "pid": os.getpid(),
            "refused_by": clients.connect_pacer.failures
            if clients.connect_pacer.has_given_up
            else {},
        }
        add_deliveries(self._environment.stats, report)
        runner.send_message(messages.COUNTS, report)
