"""A worker's part in a run: obeys the master's stages and reports what it counted."""

from locust.env import Environment

import os
import time
from typing import Any
from weakref import WeakKeyDictionary

import gevent

from capacity.domain.errors import ProtocolError
from capacity.loadgen import messages
from capacity.loadgen.fleet import Fleet, Stage
from capacity.loadgen.health import descriptors_ratio
from capacity.loadgen.locust_stats import add_deliveries
from capacity.loadgen.process import raise_descriptor_limit

REPORT_INTERVAL_S = 0.5

_workers: "WeakKeyDictionary[Environment, Worker]" = WeakKeyDictionary()


def fleet_of(environment: Environment) -> Fleet:
    """Return the fleet that the users of *environment* belong to, at their start.

    Raises ProtocolError when no run is on: Locust's users alone offer nothing.
    """
    worker = _workers.get(environment)
    if worker is None or worker.fleet is None:
        raise ProtocolError("users started without a run: let the load profile start them")
    return worker.fleet


class Worker:
    """Holds the fleet of the present run; None between runs."""

    def __init__(self, environment: Environment) -> None:
        raise_descriptor_limit()
        self._environment = environment
        _workers[environment] = self
        self.fleet: Fleet | None = None
        self._reporter: gevent.Greenlet | None = None
        runner = environment.runner
        assert runner is not None
        runner.register_message(messages.BEGIN, self._on_begin)
        runner.register_message(messages.STAGE, self._on_stage)
        runner.register_message(messages.END, self._on_end)

    def _on_begin(self, msg: Any, **_kwargs: Any) -> None:
        self._close()
        self.fleet = Fleet(msg.data)
        self._reporter = gevent.spawn(self._report_forever)

    def _on_stage(self, msg: Any, **_kwargs: Any) -> None:
        if self.fleet is None:
            return  # Joined while a run was on: the master has voided the step already.
        self._report(is_final=True)
        self.fleet.turn_to(Stage(**msg.data))

    def _on_end(self, **_kwargs: Any) -> None:
        if self.fleet is not None:
            self._report(is_final=True)
        self._close()

    def _close(self) -> None:
        if self._reporter is not None:
            self._reporter.kill(block=False)
        if self.fleet is not None:
            self.fleet.close()
        self.fleet = self._reporter = None

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
            "users": runner.user_count,
            "cpu_ratio": fleet.probe.cpu_ratio(),
            "descriptors_ratio": descriptors_ratio(),
            "pid": os.getpid(),
        }
        add_deliveries(self._environment.stats, report)
        runner.send_message(messages.COUNTS, report)
