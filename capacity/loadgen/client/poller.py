"""The Locust user that polls by REST at a constant pace, measured from the intended start."""

from locust import User, task

import logging
import time
from typing import Any

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.steady_pace import Part, pace_or_rest
from capacity.loadgen.client.worker import clients_or_leave
from capacity.loadgen.wire.http_connection import Answer, ExchangeError, HttpConnection
from capacity.workload.poll import Poll, written_at
from capacity.workload.profiles.pacing import asked_pause_s
from capacity.workload.profiles.revisit import Revisit

BUSY = frozenset({418, 429, 503})
"""Answers whose Retry-After is honoured; with 418 venues ban who went on after 429."""
DEFECT = "request_defect"
"""A failure of ours, not of the target's, in the midst of a poll."""

logger = logging.getLogger(__name__)


class Poller(User):
    """Polls one snapshot; rests, without a connection, in stages that ask for no requests."""

    abstract = True
    host = "http://named-in-the-target-file"
    """Fills Locust's form; a run takes its address from the target file."""
    weight = 0
    # Locust spawns fixed users first; the controller sets the count that the profile needs.
    fixed_count = 1
    rate = "requests_per_s"
    """Of a stage that its users keep up together."""
    answer_timeout_s = 10.0
    """Longest time for an answer to be there whole, the opening of its connection included."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._polls = 0
        self._clients: Clients | None = None
        self._connection: HttpConnection | None = None
        self._revisit = Revisit(has_validators=False)

    def on_start(self) -> None:
        self._clients = clients = clients_or_leave(self)
        clients.pollers.append(self)
        if clients.target.rest is not None:
            self._connection = clients.poll_connection(self.answer_timeout_s)
            self._revisit = Revisit(has_validators=clients.target.rest.conditional)

    def on_stop(self) -> None:
        if self._clients is not None:
            self._clients.pollers.remove(self)
        self._hang_up()

    @task
    def poll_at_constant_pace(self) -> None:
        """Poll until the stage asks for another rate."""
        clients = self._clients
        assert clients is not None
        part = Part(
            clients=clients,
            rate_per_s=lambda: clients.stage.requests_per_s,
            members=clients.pollers,
            pace=lambda: clients.poll_pace(self),
            act=lambda intended_s: self._polled(clients, intended_s),
            dropped="request_dropped",
        )
        pace_or_rest(part, self._hang_up)

    def _polled(self, clients: Clients, intended_s: float) -> float:
        """Poll once, whatever goes wrong: Locust would begin anew at once, without the pace."""
        try:
            return self._poll(clients, intended_s)
        except Exception:  # Of any type: a defect is counted and logged, and the pace is kept.
            clients.counters.fail(DEFECT)
            logger.exception("a poll failed in a way that nobody foresaw")
            return 0.0

    def _poll(self, clients: Clients, intended_s: float) -> float:
        """Poll once; return how long the target asks to be left alone."""
        connection = self._connection
        assert connection is not None
        poll = clients.polls[self._polls % len(clients.polls)]
        self._polls += 1
        request = b"".join((poll.head, self._revisit.headers(poll.url), b"\r\n", poll.body))
        started_s = time.monotonic()
        try:
            answer = connection.exchange(request, is_repeatable=poll.method == "GET")
        except ExchangeError as trouble:
            clients.counters.fail(str(trouble))
            self._tell_locust(poll, started_s, 0, trouble)
            return 0.0
        arrived_s, arrived_at = time.monotonic(), time.time()
        is_good = 200 <= answer.status < 300 or (
            answer.status == 304 and self._revisit.asks_for_newer(poll.url)
        )
        error = None if is_good else ExchangeError(failure_of(answer.status))
        self._tell_locust(poll, started_s, len(answer.body), error)
        for phase, took_us in answer.opening_us.items():
            clients.counters.request_opening[phase].append(took_us)
        self._revisit.learn(poll.url, answer.status, answer.headers.getlist)
        if is_good:
            clients.counters.request_latency.append(round((arrived_s - intended_s) * 1e6))
            count(clients, poll, answer, arrived_at)
        else:
            clients.counters.fail(str(error))
        connection.finish()
        if answer.status not in BUSY:
            return 0.0
        retry_after = answer.headers.getlist("retry-after")
        return asked_pause_s(retry_after[0] if retry_after else None, time.time())

    def _tell_locust(
        self, poll: Poll, started_s: float, length_bytes: int, error: ExchangeError | None
    ) -> None:
        self.environment.events.request.fire(
            request_type=poll.method,
            name=poll.name,
            response_time=(time.monotonic() - started_s) * 1000,
            response_length=length_bytes,
            exception=error,
            context={},
        )

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()


def count(clients: Clients, poll: Poll, answer: Answer, arrived_at: float) -> None:
    """Count an answered poll, and how old its body was."""
    clients.counters.requests += 1
    if answer.status == 304:
        clients.counters.not_modified += 1
    elif poll.clock is not None:
        encoding = answer.headers.getlist("content-encoding")
        at = written_at(
            poll.clock, answer.body, encoding[0] if encoding else "", clients.max_message_bytes
        )
        if at is not None:
            age_s = arrived_at + clients.clock_offset_s - at
            clients.counters.body_age.append(round(age_s * 1e6))


def failure_of(status: int) -> str:
    """Return the reason a poll that is answered with this status is counted under."""
    return "request_throttled" if status == 429 else f"request_failed_{status}"
