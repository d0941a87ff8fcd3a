"""The Locust user that polls by REST at a constant pace, measured from the intended start."""

from locust import FastHttpUser, task

import time
from typing import Any

from capacity.loadgen.fleet import Fleet
from capacity.loadgen.http_pool import keep_high_descriptors
from capacity.loadgen.worker import fleet_of
from capacity.workload.pacing import ConstantPace, asked_pause_s

GOOD = range(200, 400)
BUSY = frozenset({429, 503})
"""Answers whose Retry-After is honoured."""

keep_high_descriptors()


class Poller(FastHttpUser):
    """Polls one snapshot; rests, without a connection, in stages that ask for no requests."""

    abstract = True
    host = "http://named-in-the-target-file"
    """Fills Locust's form; a run takes its address from the target file."""
    weight = 0
    # Locust spawns fixed users first; the conductor sets the count that the profile needs.
    fixed_count = 1
    connection_timeout = 10.0
    network_timeout = 10.0

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self._polls = 0
        self._fleet: Fleet | None = None

    def on_start(self) -> None:
        self._fleet = fleet_of(self.environment)
        self._fleet.pollers.append(self)

    def on_stop(self) -> None:
        if self._fleet is not None:
            self._fleet.pollers.remove(self)
        self._hang_up()

    @task
    def poll_at_constant_pace(self) -> None:
        """Poll until the stage asks for another rate."""
        fleet = self._fleet
        assert fleet is not None
        rate_per_s = fleet.stage.requests_per_s
        pace = fleet.poll_pace(self)
        if pace is None:
            self._hang_up()
            fleet.stage_changed.wait(timeout=1.0)
            return
        interval_s, first_delay_s = pace
        schedule = ConstantPace(start_s=time.monotonic() + first_delay_s, interval_s=interval_s)
        while True:
            intended_s = schedule.next_intended_s(time.monotonic())
            sleep_until(intended_s, fleet, rate_per_s)
            pace = fleet.poll_pace(self)
            if fleet.stage.requests_per_s != rate_per_s or pace is None:
                return
            if pace[0] != interval_s:  # More pollers have joined, to share the rate.
                interval_s = pace[0]
                schedule = ConstantPace(start_s=intended_s + interval_s, interval_s=interval_s)
            paused_s = self._poll(fleet, intended_s)
            if schedule.missed:
                fleet.ledger.fail("request_dropped", schedule.missed)
                schedule.missed = 0
            if paused_s:
                resumed_s = time.monotonic() + paused_s
                schedule = ConstantPace(start_s=resumed_s, interval_s=interval_s)

    def _poll(self, fleet: Fleet, intended_s: float) -> float:
        """Poll once; return how long the target asks to be left alone."""
        name, requests = fleet.polls
        method, url, body = requests[self._polls % len(requests)]
        self._polls += 1
        headers = {"Content-Type": "application/json"} if body is not None else {}
        with self.client.request(
            method,
            url,
            name=name,
            data=body.decode() if body else None,
            headers=headers,
            catch_response=True,
        ) as response:
            latency_s = time.monotonic() - intended_s
            if response.status_code in GOOD:
                fleet.ledger.requests += 1
                fleet.ledger.request_latency.append(round(latency_s * 1e6))
                response.success()
                return 0.0
            fleet.ledger.fail(failure_of(response.status_code))
            response.failure(failure_of(response.status_code))
            if response.status_code in BUSY and response.headers is not None:
                return asked_pause_s(response.headers.get("Retry-After"), time.time())
            return 0.0

    def _hang_up(self) -> None:
        self.client.client.clientpool.close()


def sleep_until(moment_s: float, fleet: Fleet, rate_per_s: float) -> None:
    """Sleep until then on the monotonic clock, or until the stage asks for another rate."""
    while fleet.stage.requests_per_s == rate_per_s and (left_s := moment_s - time.monotonic()) > 0:
        fleet.stage_changed.wait(timeout=left_s)


def failure_of(status_code: int) -> str:
    """Return the reason a poll with this status is counted under; 0 is no answer at all."""
    if status_code == 0:
        return "request_unanswered"
    return "request_throttled" if status_code == 429 else f"request_failed_{status_code}"
