"""A worker's part in a run: obeys the master's stages and reports what it counted."""

from locust.env import Environment

import gc
import os
import time
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from gevent.event import Event

from capacity.domain.errors import ProtocolError
from capacity.loadgen import messages
from capacity.loadgen.fleet import Fleet, Orders, Stage
from capacity.loadgen.health import descriptors_ratio
from capacity.loadgen.locust_stats import add_deliveries
from capacity.loadgen.presence import PROGRAM, addresses_here, presence_here
from capacity.loadgen.process import raise_descriptor_limit
from capacity.settings import dialect as dialect_settings
from capacity.settings.target import Target, addresses_in
from capacity.workload.profile import Phase

REPORT_INTERVAL_S = 0.5
ORDERS_TIMEOUT_S = 10.0
"""Locust starts the users of a worker that joins while a run is on before its orders are there."""

_workers: "WeakKeyDictionary[Environment, Worker]" = WeakKeyDictionary()


def fleet_of(environment: Environment) -> Fleet:
    """Return the fleet that the users of *environment* belong to, at their start.

    Waits for the orders of a run. Raises ProtocolError when none is on: Locust's users alone offer
    nothing.
    """
    worker = _workers.get(environment)
    if worker is not None:
        worker.has_orders.wait(ORDERS_TIMEOUT_S)
    if worker is None or worker.fleet is None:
        raise ProtocolError("users started without a run: let the load profile start them")
    return worker.fleet


def set_garbage_aside() -> None:
    """Look for garbage now, and never again among what is there.

    A full collection stops everything for 40 ms already with 1,500 users, and would be measured.
    """
    gc.collect()
    gc.freeze()


class Worker:
    """Holds the fleet of the present run; None between runs."""

    def __init__(self, environment: Environment) -> None:
        raise_descriptor_limit()
        self._environment = environment
        _workers[environment] = self
        self.fleet: Fleet | None = None
        self.has_orders = Event()
        self._reporter: gevent.Greenlet | None = None
        runner = environment.runner
        assert runner is not None
        runner.register_message(messages.MUSTER, self._on_muster, concurrent=True)
        runner.register_message(messages.BEGIN, self._on_begin)
        runner.register_message(messages.STAGE, self._on_stage)
        runner.register_message(messages.END, self._on_end)

    def _on_muster(self, msg: Any, **_kwargs: Any) -> None:
        asked, presence = msg.data, None
        # What another program asks may have another form: it is only told that we differ.
        if asked["program"] == PROGRAM and asked["question"] is not None:
            target = Target.model_validate(asked["question"]["target"])
            dialect = dialect_settings.parse(asked["question"]["dialect"])
            presence = presence_here(target, dialect).as_message()
        runner = self._environment.runner
        assert runner is not None
        runner.send_message(
            messages.PRESENT,
            {
                "program": PROGRAM,
                "presence": presence,
                "asked_at": asked["asked_at"],
                "now": time.time(),
            },
        )

    def _on_begin(self, msg: Any, **_kwargs: Any) -> None:
        self._close()
        target = msg.data["target"]
        own = addresses_here(addresses_in(target["source_addresses"]))
        orders = Orders(**{**msg.data, "target": {**target, "source_addresses": own}})
        self.fleet = Fleet(orders)
        self.has_orders.set()
        self._reporter = gevent.spawn(self._report_forever)

    def _on_stage(self, msg: Any, **_kwargs: Any) -> None:
        if self.fleet is None:
            return  # Joined while a run was on: the master has voided the step already.
        self._report(is_final=True)
        stage = Stage(**msg.data)
        self.fleet.turn_to(stage)
        if stage.phase == Phase.SETTLE:
            set_garbage_aside()

    def _on_end(self, **_kwargs: Any) -> None:
        if self.fleet is not None:
            self._report(is_final=True)
        self._close()

    def _close(self) -> None:
        if self._reporter is not None:
            self._reporter.kill(block=False)
        if self.fleet is not None:
            self.fleet.close()
        self.has_orders.clear()
        self.fleet = self._reporter = None
        gc.unfreeze()

    def _report_forever(self) -> None:
        while True:
            gevent.sleep(REPORT_INTERVAL_S)
            self._report(is_final=False)

    def _report(self, *, is_final: bool) -> None:
        fleet, runner = self.fleet, self._environment.runner
        assert fleet is not None
        assert runner is not None
        report = fleet.ledger.take(time.monotonic())
        report["is_final"] = is_final
        report["gauges"] = {
            "open_connections": len(fleet.connections),
            "most_open": max(len(fleet.connections), report.pop("open_before_loss")),
            "users": runner.user_count,
            "cpu_ratio": fleet.probe.cpu_ratio(),
            "descriptors_ratio": descriptors_ratio(),
            "pid": os.getpid(),
            "refused_by": fleet.connect_pacer.failures if fleet.connect_pacer.has_given_up else {},
        }
        add_deliveries(self._environment.stats, report)
        runner.send_message(messages.COUNTS, report)
