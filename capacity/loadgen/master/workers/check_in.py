"""The master asks every worker who it is before it gives instructions.

A worker of another program would load something else, or count it differently: it gets no instructions.
Clocks are compared as NTP does (RFC 5905, section 8): of several exchanges the one with the least
round trip counts, and the middle of it is taken for the moment of the answer.
"""

from locust.env import Environment

import logging
import time
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import gevent

from capacity.domain.errors import PreflightError
from capacity.domain.run import ClockOffset
from capacity.loadgen.checks.worker_identity import PROGRAM, WorkerIdentity, boot_id
from capacity.loadgen.master.workers.liveness import Processes
from capacity.loadgen.protocol import messages
from capacity.settings import dialect as dialect_settings
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.target import Target
from capacity.settings.targets.private import private_dialect
from capacity.sources.clocks import offset_between

logger = logging.getLogger(__name__)

LOCAL = "local"
"""Locust without workers does their work itself, under this name."""
EXCHANGES = 5
RETURN_S = 8.0
"""A worker that has stopped its users reports as ready again after two seconds."""
TIMEOUT_S = 15.0
"""A worker that finds no way to the target says so after five seconds."""

_rolls: "WeakKeyDictionary[Environment, Roster]" = WeakKeyDictionary()


def await_workers(environment: Environment, expected: int) -> None:
    """Wait until *expected* workers are there: they are away for a moment after each run.

    Raises PreflightError where none comes.
    """
    deadline_s = time.monotonic() + RETURN_S
    while len(present_workers(environment)) < expected and time.monotonic() < deadline_s:
        gevent.sleep(0.05)
    if not present_workers(environment):
        raise PreflightError(
            "no worker is connected, so nothing can offer a load; start Locust with --processes 1, or"
            " workers as config/deploy/README.md says"
        )


def check_in(environment: Environment, target: Target) -> tuple[WorkerIdentity, ...]:
    """Return what every worker that is there says of itself.

    Raises PreflightError when one is silent, or runs another program.
    """
    roster = roll_of(environment)
    roster.begin(target)
    workers = sorted(present_workers(environment))
    for worker in workers:
        roster.call(worker)
    deadline_s = time.monotonic() + TIMEOUT_S
    while any(worker not in roster for worker in workers):
        roster.raise_for_strangers()
        if time.monotonic() > deadline_s:
            silent = next(worker for worker in workers if worker not in roster)
            raise PreflightError(
                f"worker {silent} did not identify itself within {TIMEOUT_S:.0f} s; install this "
                f"version on its host, {PROGRAM}, and restart it"
            )
        gevent.sleep(0.005)
    return tuple(roster[worker] for worker in workers)


def roll_of(environment: Environment) -> "Roster":
    """Return what is known of the workers of a master or local *environment*."""
    if environment not in _rolls:
        _rolls[environment] = Roster(environment)
    return _rolls[environment]


def present_workers(environment: Environment) -> set[str]:
    """Return the names of the workers that Locust holds for alive."""
    clients = getattr(environment.runner, "clients", None)
    if clients is None:
        return {LOCAL}
    return {node.id for node in clients.ready + clients.spawning + clients.running}


class Roster:
    """The workers that have answered, by name; complete once their clocks are compared."""

    def __init__(self, environment: Environment) -> None:
        self._runner = environment.runner
        assert self._runner is not None
        self._runner.register_message(messages.PRESENT, self._on_present)
        self._question: dict[str, Any] = {}
        self._presences: dict[str, WorkerIdentity] = {}
        self._exchanges: dict[str, int] = {}
        self.processes = Processes()
        self.strangers: dict[str, str] = {}
        """Worker -> the program it runs, which is not ours."""

    def __contains__(self, worker: str) -> bool:
        return self._exchanges.get(worker, 0) >= EXCHANGES

    def __getitem__(self, worker: str) -> WorkerIdentity:
        return self._presences[worker]

    def begin(self, target: Target) -> None:
        """Forget all answers: they are about the way to another target, perhaps."""
        dialects = [load_dialect(find("dialects", target.dialect))]
        if target.private is not None:
            dialects.append(private_dialect(target.private, target.dialect))
        self._question = {
            "target": target.model_dump(mode="json"),
            "dialects": [dialect_settings.dump(dialect) for dialect in dialects],
        }
        self._presences, self._exchanges, self.strangers = {}, {}, {}
        self.processes = Processes()

    def call(self, worker: str) -> None:
        """Ask *worker* who it is; its answers and the exchanges after it come by themselves."""
        self._ask(worker, self._question)

    def raise_for_strangers(self) -> None:
        for worker, program in self.strangers.items():
            raise PreflightError(
                f"worker {worker} runs {program}, this is {PROGRAM}; install the same version there "
                "and restart it"
            )

    def _ask(self, worker: str, question: dict[str, Any] | None) -> None:
        assert self._runner is not None
        body = {"program": PROGRAM, "asked_at": time.time(), "question": question}
        self._runner.send_message(messages.CHECK_IN, body, client_id=worker)

    def _on_present(self, msg: Any, **_kwargs: Any) -> None:
        answered_at, worker, answer = time.time(), msg.node_id, msg.data
        if answer["program"] != PROGRAM:
            self.strangers[worker] = str(answer["program"])
            return
        if answer["identity"] is not None:
            identity = WorkerIdentity.from_message(answer["identity"])
            self._presences[worker] = identity
            if identity.pid is not None:
                self.processes.note(worker, identity.pid)
            self._exchanges[worker] = 0
        else:
            self._compare_clock(worker, answer["asked_at"], answer["now"], answered_at)
            self._exchanges[worker] += 1
        if worker not in self:
            self._ask(worker, None)

    def _compare_clock(self, worker: str, asked_at: float, now: float, answered_at: float) -> None:
        identity = self._presences[worker]
        if identity.boot_id == boot_id():
            clock = ClockOffset(offset_s=0.0, error_s=0.0)  # One kernel, one clock.
        else:
            clock = offset_between(asked_at, now, answered_at)
        if identity.clock is None or clock.error_s < identity.clock.error_s:
            self._presences[worker] = replace(identity, clock=clock)
