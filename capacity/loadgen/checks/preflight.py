"""Everything that can be known to go wrong is found out before the first connection of a run."""

import os
import platform
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from capacity.domain.answers.finding import Status
from capacity.domain.errors import ConfigError, PreflightError, UnreachableError
from capacity.domain.load import LoadStep
from capacity.domain.resources import Limit, Resource
from capacity.domain.run import ClockOffset
from capacity.domain.sample import AgentInfo, Sample
from capacity.loadgen.checks.agent_watch import watch
from capacity.loadgen.checks.generator_limits import (
    check_sockets,
    check_sources,
    hosts_of,
    most_actors,
    most_sockets,
)
from capacity.loadgen.checks.planned.planned_load import course_of
from capacity.loadgen.checks.request_trial import try_request
from capacity.loadgen.checks.trial import try_conversation, try_private
from capacity.loadgen.checks.worker_identity import WorkerIdentity, boot_id, identity_here
from capacity.planning.evidence.effective_limits import limits_at
from capacity.planning.safety.audited_bound import audited_bound
from capacity.planning.safety.climb import Rules
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.profile import Profile
from capacity.settings.target import Target
from capacity.settings.targets.private import lacking_rows, private_dialect
from capacity.settings.targets.source_addresses import addresses_in
from capacity.sources.source import Source
from capacity.sources.source_of_target import open_source
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.profiles.experiment import Experiment

MAX_CLOCK_OFFSET_S = 1.0
"""One sampling interval: beyond it samples would be laid to the wrong step if the offset drifts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What a run may rely on."""

    dialect: Dialect
    agent: Source | None
    info: AgentInfo | None
    clock_offset: ClockOffset | None
    limits: tuple[Limit, ...]
    """The agent's and the declared ones."""
    audited_bound: int | None
    audited_by: str | None
    steps: tuple[LoadStep, ...]
    """Those that are known before the run: all of a ramp, the first ones of an experiment."""
    most_requests_per_s: float
    """Of any step that may follow."""
    most_orders_per_s: float
    experiment: Experiment | None
    rules: Rules | None
    """How far the experiment may climb; None for other kinds."""
    declared: tuple[Limit, ...]
    """Limits of the target file."""
    hosts: dict[str, Any]
    """What the hosts of the workers have, by name."""
    same_host: bool
    """The target's host is that of the recorder, or of a worker."""
    private_dialect: Dialect | None = None
    """What private connections speak; None where the target has none."""


def check(
    target: Target, profile: Profile, *, workers: int | Sequence[WorkerIdentity]
) -> Preflight:
    """Return what the run may rely on. Raises Config-, Unreachable- or PreflightError.

    *workers* is what they say of themselves; a number is that many on this machine, and none
    leaves their hosts unchecked.
    """
    dialect = load_dialect(find("dialects", target.dialect))
    private = None if target.private is None else private_dialect(target.private, target.dialect)
    info = offset = None
    declared = target.spec().limits
    limits: tuple[Limit, ...] = declared
    used: dict[Resource, float] = {}
    agent = open_source(target)
    if agent is not None:
        info = agent.info()
        offset = checked_offset(agent, info)
        limits = (*limits_at(info.limits, target.port, info), *limits)
        used = dict(latest_reading(agent).used)
    try_conversation(target, dialect)
    if private is not None:
        try_private(target, private)
    if target.rest is not None:
        try_request(target, dialect)
    if agent is not None:
        assert info is not None, "it was asked"
        info = checked_watch(target, dialect, agent, info)
        limits = (*info.path_limits, *limits)
    if isinstance(workers, int):
        workers = [identity_here(target, dialect)] * workers
    here = platform.node()
    check_sources(addresses_in(target.source_addresses), workers, here)
    bound = audited_bound(limits, used)
    course = course_of(target, dialect, profile, bound, most_sockets(workers), private=private)
    for trouble in lacking_rows(target.values, target.private, course.most_connections):
        raise ConfigError(trouble)
    sockets = course.most_connections + sum(most_actors(course, profile).values())
    check_sockets(sockets, workers, here)
    return Preflight(
        dialect=dialect,
        private_dialect=private,
        agent=agent,
        info=info,
        clock_offset=offset,
        limits=limits,
        audited_bound=bound.connections if bound else None,
        audited_by=bound.resource.value if bound else None,
        steps=course.steps,
        most_requests_per_s=course.most_requests_per_s,
        most_orders_per_s=course.most_orders_per_s,
        experiment=course.experiment,
        rules=course.rules,
        declared=declared,
        hosts=hosts_of(workers),
        same_host=info is not None
        and info.boot_id in {boot_id(), *(worker.boot_id for worker in workers)},
    )


def generator_facts(workers: int) -> dict[str, Any]:
    """Return what a report says about the machine that offered the load."""
    return {
        "host": platform.node(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "workers": workers,
        "descriptor_limit": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    }


def checked_offset(agent: Source, info: AgentInfo) -> ClockOffset:
    """Return the agent's clock minus ours. Raises PreflightError where that is too much."""
    offset = agent.clock_offset()
    if abs(offset.offset_s) > MAX_CLOCK_OFFSET_S:
        direction = "ahead of" if offset.offset_s > 0 else "behind"
        raise PreflightError(
            f"the clock of {info.host} is {abs(offset.offset_s):.1f} s {direction} this machine's, at most "
            f"{MAX_CLOCK_OFFSET_S:.0f} s is allowed; synchronise both (chronyd, systemd-timesyncd)"
        )
    if info.boot_id == boot_id():
        return ClockOffset(offset_s=0.0, error_s=0.0)  # One kernel, one clock.
    return offset


def checked_watch(target: Target, dialect: Dialect, agent: Source, info: AgentInfo) -> AgentInfo:
    """Return *info* with who passes connections on; PreflightError where another process is watched."""
    found = watch(target, dialect, agent, info)
    if found.finding.status is Status.FAILURE:
        remedy = found.finding.remedy or ""
        raise PreflightError(f"{found.finding.statement}; {remedy[:1].lower()}{remedy[1:]}")
    return replace(
        info, relay=found.relay, passes_on_to=found.passes_on_to, path_limits=found.limits
    )


def latest_reading(agent: Source) -> Sample:
    """Return the newest sample, with what only some of those before it contain.

    An agent that has just been started may need a moment for it. Raises UnreachableError.
    """
    deadline_s = time.monotonic() + 5
    while not (samples := agent.samples(0)):
        if time.monotonic() > deadline_s:
            raise UnreachableError(f"{agent.name} responds, but takes no samples")
        time.sleep(0.1)
    used: dict[Resource, float] = {}
    gauges: dict[str, float] = {}
    for sample in samples[-10:]:  # A census comes only every few samples.
        used.update(sample.used)
        gauges.update(sample.gauges)
    if samples[-1].target_started_at is None:
        raise UnreachableError(
            f"{agent.name} has lost its target; start the target, or restart the agent"
        )
    return replace(samples[-1], used=used, gauges=gauges)
