"""The workers of a run: who is there, what each of them holds, and what they are told."""

from locust.env import Environment

import logging
import math
import time
from dataclasses import replace
from typing import Any

from capacity.loadgen.checks.worker_identity import PROGRAM
from capacity.loadgen.master.guards.blame import whole_clients_of
from capacity.loadgen.master.workers.check_in import present_workers, roll_of
from capacity.loadgen.master.workers.heard_reports import HeardReports, Tag
from capacity.loadgen.master.workers.liveness import note_death, note_life
from capacity.loadgen.protocol import messages
from capacity.loadgen.protocol.instructions import RunInstructions, Stage

logger = logging.getLogger(__name__)

SILENCE_S = 3.0
"""A worker with instructions reports twice a second; one this silent has joined before it could hear."""


BEHIND_S = 2.0
"""A worker that still counts under an earlier stage after this was not reached by the later one."""


class WorkerPool:
    """Knows the workers from the first order until the run is over."""

    def __init__(self, environment: Environment, instructions: RunInstructions) -> None:
        """Give the *instructions* of a run to every worker that is there."""
        self._environment = environment
        self._instructions = instructions
        self._roster = roll_of(environment)
        self._called_s: dict[str, float] = {}
        self._ordered_s: dict[str, float] = {}
        self._rejected: set[str] = set()
        self._stages = 0
        self._due: Tag | None = None
        """What everybody was told to count under."""
        self._told_s = 0.0
        self._is_over = False
        self._begun_s = time.monotonic()
        self.reports = HeardReports(instructions.run)
        self.gauges: dict[str, dict[str, Any]] = {}
        """What each worker that is there said last of itself."""
        self._newcomers = 0
        self._heard_s: dict[str, float] = {}
        self._processes = self._roster.processes
        self.last_loss = "nothing is known of it"
        """What is known of the worker that was lost last."""
        self.ids = present_workers(environment)
        self.order_silent()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def connections_per_user(self) -> int:
        return self._instructions.connections_per_user

    @property
    def whole_clients(self) -> int | None:
        """Count of the open connections that belong to whole clients; None where each is a client."""
        private = self._instructions.target.get("private")
        if private is None:
            return None
        each = private["connections_per_client"]
        return whole_clients_of(self.open_connections, self.open_private, each)

    @property
    def open_connections(self) -> int:
        return sum(gauges["open_connections"] for gauges in self.gauges.values())

    @property
    def open_private(self) -> int:
        """Count of the open connections that are private."""
        return sum(gauges.get("open_private", 0) for gauges in self.gauges.values())

    @property
    def private_or_none(self) -> int | None:
        """Count of the open connections that are private; None where the target has none."""
        return None if self._instructions.target.get("private") is None else self.open_private

    @property
    def most_open(self) -> int:
        """Return the most that were open at once lately, those included that were lost since."""
        return sum(
            gauges.get("most_open", gauges["open_connections"]) for gauges in self.gauges.values()
        )

    @property
    def opening(self) -> int:
        """Return the attempts to connect that are under way."""
        return sum(gauges["opening"] for gauges in self.gauges.values())

    @property
    def users(self) -> int:
        return sum(gauges["users"] for gauges in self.gauges.values())

    @property
    def refused_by(self) -> dict[str, int]:
        """Failures by reason, of those workers that have given up opening connections."""
        reasons: dict[str, int] = {}
        for gauges in self.gauges.values():
            for reason, count in gauges.get("refused_by", {}).items():
                reasons[reason] = reasons.get(reason, 0) + count
        return reasons

    @property
    def heard(self) -> int:
        """Count of the workers that have said what they hold."""
        return len(self.gauges)

    @property
    def newcomers(self) -> int:
        """Count of those that said what they hold for the first time, or again after they were lost."""
        return self._newcomers

    def note(self, worker: str, gauges: dict[str, Any]) -> None:
        """Take what a worker says it holds; one that was lost holds nothing any more."""
        note_life(self._environment.runner, worker)
        if worker in self.ids:
            self._newcomers += worker not in self.gauges
            self.gauges[worker] = gauges
            self._heard_s[worker] = time.monotonic()
            self._processes.note(worker, gauges["pid"])

    def how_lost(self, worker: str) -> str:
        """Return what is known of how a worker was lost."""
        heard_s = self._heard_s.get(worker)
        silent_s = None if heard_s is None else time.monotonic() - heard_s
        self.last_loss = self._processes.how_lost(worker, silent_s)
        return self.last_loss

    def tell_stage(self, stage: Stage) -> None:
        """Tell every worker its share of the stage that is due."""
        self._stages += 1
        self._due, self._told_s = (stage.index, stage.phase), time.monotonic()
        told = replace(stage, run=self._instructions.run, number=self._stages)
        for worker in sorted(self.ids):
            self._send(messages.STAGE, told.as_message(), worker)

    def end(self) -> None:
        """Tell every worker that the run is over; from now on none is told anything else of it."""
        for worker in sorted(self.ids):
            self._send(messages.END, self._instructions.run, worker)
        self._is_over = True

    def is_behind(self) -> bool:
        """Tell whether some worker was not reached by the stage that is due."""
        if time.monotonic() - self._told_s < BEHIND_S:
            return False
        return any(self.reports.tag(worker) != self._due for worker in self.gauges)

    def longest_silence_s(self) -> float:
        """Return how long the most silent worker has not been heard."""
        now_s = time.monotonic()
        since = (self._heard_s.get(each, self._begun_s) for each in self.ids)
        return max((now_s - since_s for since_s in since), default=0.0)

    def changes(self) -> tuple[set[str], set[str]]:
        """Return who was lost and who joined since the last call."""
        before, present = self.ids, present_workers(self._environment)
        ended = {worker for worker in present if self._processes.has_ended(worker)}
        for worker in ended:
            note_death(self._environment.runner, worker)
        self.ids = present - ended
        lost, joined = before - self.ids, self.ids - before
        for worker in lost:
            self.gauges.pop(worker, None)
        for worker in joined & self._ordered_s.keys():  # It was only out of sight for a while.
            self._ordered_s[worker] = time.monotonic()
        return lost, joined

    def has_dead(self) -> bool:
        """Tell whether Locust still counts a worker whose process has ended, and would give it users."""
        return any(map(self._processes.has_ended, present_workers(self._environment)))

    def order_silent(self) -> bool:
        """Give the instructions to whoever does not act on them yet; return whether there was any.

        A newcomer is asked who it is first, and rejected when it runs another program.
        """
        now_s = time.monotonic()
        ordered = False
        for worker in sorted(self.ids - self.gauges.keys()):
            if worker in self._roster:
                if now_s - self._ordered_s.get(worker, -math.inf) >= SILENCE_S:
                    self._ordered_s[worker] = now_s
                    self._order(worker)
                    ordered = True
            elif worker in self._roster.strangers:
                self._reject(worker, f"runs {self._roster.strangers[worker]}, not {PROGRAM}")
            elif now_s - self._called_s.get(worker, -math.inf) >= SILENCE_S:
                self._called_s[worker] = now_s
                self._roster.call(worker)
        return ordered

    def _order(self, worker: str) -> None:
        identity = self._roster[worker]
        if identity.trouble is not None:
            self._reject(worker, identity.trouble)
            return
        clock = identity.clock
        assert clock is not None
        offset_s = self._instructions.clock_offset_s - clock.offset_s
        instructions = replace(
            self._instructions, clock_offset_s=offset_s, workers=max(1, len(self.ids))
        )
        self._send(messages.BEGIN, instructions.as_message(), worker)

    def _reject(self, worker: str, reason: str) -> None:
        """Have Locust end a worker that cannot take part; its users go to the others."""
        if worker not in self._rejected:
            self._rejected.add(worker)
            logger.error("worker %s rejected: %s", worker, reason)
            self._send("quit", None, worker)

    def _send(self, message: str, body: Any, worker: str) -> None:
        runner = self._environment.runner
        assert runner is not None
        if not self._is_over:
            runner.send_message(message, body, client_id=worker)
