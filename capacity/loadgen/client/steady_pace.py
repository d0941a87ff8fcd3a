"""Acts at a constant pace while a stage lasts: what pollers and traders have in common."""

import time
from collections.abc import Callable, Sized
from dataclasses import dataclass

from capacity.loadgen.client.clients import Clients
from capacity.workload.profiles.pacing import ConstantPace

Pace = tuple[float, float]
"""Interval and first delay, in seconds."""

REST_S = 1.0
"""Unless the stage changes before."""
EARLY_S = 0.002
"""So much before its moment a member leaves the loop's timers, which may be late, for the alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One member's part of a rate that several share."""

    clients: Clients
    rate_per_s: Callable[[], float]
    """What the stage asks for now, all members together."""
    members: Sized
    pace: Callable[[], Pace | None]
    """The member's own; None while it has to rest."""
    act: Callable[[float], float]
    """Does what is due; takes the intended start on the monotonic clock, returns a pause asked for."""
    dropped: str
    """What starts are counted under that came too late to be made up for."""


def pace_or_rest(part: Part, hang_up: Callable[[], None]) -> None:
    """Act until the stage asks for another rate; hang up and rest for a while if it asks for none."""
    pace = part.pace()
    if pace is None:
        hang_up()
        part.clients.stage_changed.wait(REST_S)
    else:
        keep_pace(part, pace)


def keep_pace(part: Part, pace: Pace) -> None:
    """Act until the stage asks for another rate."""
    clients, rate_per_s = part.clients, part.rate_per_s()
    interval_s, first_delay_s = pace
    members = len(part.members)
    schedule = ConstantPace(start_s=time.monotonic() + first_delay_s, interval_s=interval_s)
    while True:
        intended_s = schedule.next_intended_s(time.monotonic())
        sleep_until(intended_s, part, rate_per_s)
        if part.rate_per_s() != rate_per_s:
            return
        if len(part.members) != members:  # Others have joined or left, to share the rate.
            members, changed = len(part.members), part.pace()
            if changed is None:
                return
            interval_s = changed[0]
            schedule = ConstantPace(start_s=intended_s + interval_s, interval_s=interval_s)
        paused_s = part.act(intended_s)
        if schedule.missed:
            clients.counters.fail(part.dropped, schedule.missed)
            schedule.missed = 0
        if paused_s:
            resumed_s = time.monotonic() + paused_s
            schedule = ConstantPace(start_s=resumed_s, interval_s=interval_s)


def sleep_until(moment_s: float, part: Part, rate_per_s: float) -> None:
    """Sleep until then on the monotonic clock, or until the stage asks for another rate."""
    while part.rate_per_s() == rate_per_s and (left_s := moment_s - time.monotonic()) > 0:
        if left_s > EARLY_S:
            part.clients.stage_changed.wait(left_s - EARLY_S)
        else:
            part.clients.alarm.sleep_until(moment_s)
