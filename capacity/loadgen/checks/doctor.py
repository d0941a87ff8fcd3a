"""Everything that a run needs, looked at before it is sent: what `capacity doctor` prints.

What makes a run impossible is found by the same functions that the preflight of a run raises from
(preflight.py), so that both say the same; what only spoils it is judged by planning/safety/readiness.py.
Unlike a preflight the examination goes on after a failure.
"""

import os
import platform
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import psutil

from capacity.domain import units
from capacity.domain.answers.finding import Finding, Status
from capacity.domain.errors import CapacityError, ConfigError, LockedError
from capacity.domain.resources import Limit, Resource
from capacity.domain.sample import AgentInfo
from capacity.loadgen.checks.agent_watch import watch
from capacity.loadgen.checks.generator_limits import check_room, check_sources, room_of
from capacity.loadgen.checks.planned_load import Planned, course_of, most_actors
from capacity.loadgen.checks.preflight import checked_offset, latest_reading
from capacity.loadgen.checks.request_trial import try_request
from capacity.loadgen.checks.trial import try_conversation
from capacity.loadgen.checks.worker_identity import PROGRAM, boot_id, identity_here
from capacity.loadgen.run_path import LOCKS, RUNS
from capacity.planning.evidence.effective_limits import effective_limits, limits_at
from capacity.planning.safety import readiness
from capacity.planning.safety.audited_bound import AuditedBound, audited_bound
from capacity.planning.safety.heard_updates import heard_findings
from capacity.planning.safety.run_preview import (
    guards_finding,
    levels_up_to,
    load_finding,
    objectives_finding,
)
from capacity.recording.lock import locked
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.profile import BreakProfile, Profile
from capacity.settings.secrets import headers_for_others
from capacity.settings.target import Target
from capacity.settings.targets.source_addresses import addresses_in
from capacity.settings.values import files_for_others, too_few_rows
from capacity.sources.source import Source
from capacity.sources.source_of_target import open_source

LISTEN_S = 2.0
"""How long the trial connection counts updates."""
_NETFILTER = Path("/proc/sys/net/netfilter")
_T = TypeVar("_T")


class Examination:
    """One look at one target for one profile; the findings are in the order of the looking."""

    def __init__(self, target: Target, profile: Profile, workers: int) -> None:
        """Raise ConfigError where the target names a dialect that is not there."""
        self._target = target
        self._profile = profile
        self._workers = workers
        self._dialect = load_dialect(find("dialects", target.dialect))
        self._limits: tuple[Limit, ...] = target.spec().limits
        self._used: Mapping[Resource, float] = {}
        self._updates_per_s: float | None = None
        self._is_reached = False
        self._source: Source | None = None
        self._info: AgentInfo | None = None
        self.planned: Planned | None = None
        """The load that the profile means, once it was looked at and can be offered."""

    def findings(self) -> list[Finding]:
        """Return everything found; nothing that is wrong raises."""
        try:
            return [
                *self._of_the_agent(),
                *self._of_the_target(),
                *self._of_the_load(),
                *self._of_this_host(),
            ]
        finally:
            if self._source is not None:
                self._source.close()

    def _of_the_agent(self) -> Iterator[Finding]:
        try:
            self._source = open_source(self._target)
            if self._source is not None:
                yield from self._of_the_source(self._source)
        except CapacityError as error:
            yield failure("agent", error)
        if self._target.agent is None:
            yield Finding(
                name="agent",
                status=Status.UNKNOWN,
                statement="the target file names no agent, so no resource is measured and no plan is possible",
                remedy="Start `capacity agent` on the target's host and set agent.url in the target file",
            )

    def _of_the_source(self, source: Source) -> Iterator[Finding]:
        info = self._info = source.info()
        read = limits_at(info.limits, self._target.port, info)
        self._limits = (*read, *self._limits)
        pids = ", ".join(map(str, info.target_pids))
        yield _ok("agent", f"{source.name} watches {info.target_name} (pid {pids}) on {info.host}")
        version = PROGRAM.split(maxsplit=1)[0]
        if info.agent_version != version:
            yield Finding(
                name="agent version",
                status=Status.WARNING,
                statement=f"the agent runs version {info.agent_version}, this is {version}",
                remedy="Install the same version on the target's host",
            )
        for note in info.notes:
            yield Finding(name="agent", status=Status.WARNING, statement=note)
        offset = checked_offset(source, info)
        yield readiness.clock(offset)
        newest = latest_reading(source)
        self._used = newest.used
        yield readiness.sample_age(
            time.time() + offset.offset_s - newest.at, newest.interval_s + source.delay_s
        )
        yield readiness.agent_cost(newest.gauges.get("agent_cpu_cores"))
        yield readiness.unseen_limits(read)
        if (own := readiness.application_limit(self._limits)) is not None:
            yield own
        yield readiness.accept_queue(info.audit, self._target.port, self._profile.connects_per_s)
        yield readiness.shared_host(is_shared=info.boot_id == boot_id())

    def _of_the_target(self) -> Iterator[Finding]:
        followed = max(1, self._profile.mix.subscriptions_per_connection)
        trial = yield from attempt(
            "handshake and subscription",
            lambda: try_conversation(
                self._target, self._dialect, subscriptions=followed, listen_s=LISTEN_S
            ),
            lambda trial: f"open and confirmed in {units.duration(trial.opened_s)}",
        )
        self._is_reached = trial is not None
        if trial is not None:
            self._updates_per_s = trial.updates_per_s
            if trial.certificate_ends_at is not None:
                yield readiness.certificate(trial.certificate_ends_at - time.time())
            if self._profile.mix.subscriptions_per_connection:
                yield from heard_findings(trial.heard)
            yield from self._of_who_is_watched()
        if self._target.rest is not None:
            yield from attempt(
                "REST request",
                partial(try_request, self._target, self._dialect),
                lambda _: "answered",
            )
            yield from self._of_another_host()

    def _of_another_host(self) -> Iterator[Finding]:
        host, port, _tls = self._target.http_origin()
        if self._target.agent is not None and (host, port) != (
            self._target.host,
            self._target.port,
        ):
            yield Finding(
                name="REST server",
                status=Status.WARNING,
                statement=(
                    f"requests go to {host}:{port}, the agent watches {self._target.host}:"
                    f"{self._target.port}: what requests cost there is not measured"
                ),
                remedy="Plan the REST server by a target file of its own, with its own agent",
            )

    def _of_who_is_watched(self) -> Iterator[Finding]:
        if self._source is None or self._info is None:
            return
        try:
            yield watch(self._target, self._dialect, self._source, self._info).finding
        except CapacityError as error:
            yield failure("watched process", error)

    def _of_the_load(self) -> Iterator[Finding]:
        bound = audited_bound(self._limits, self._used)
        identity = identity_here(self._target, self._dialect, is_reached=self._is_reached)
        identities = [identity] * self._workers
        planned = yield from attempt(
            "profile",
            lambda: course_of(
                self._target, self._dialect, self._profile, bound, room_of(identities)
            ),
            lambda planned: (
                f"{units.counted(len(planned.steps), 'step')} of kind {self._profile.kind}"
                f"{' to begin with' if planned.experiment is not None else ''}"
            ),
        )
        self.planned = planned
        if planned is None:
            return
        exposed = (
            *files_for_others(self._target.values),
            *headers_for_others(
                [*self._dialect.headers_by_key(), ("headers", self._target.headers)]
            ),
        )
        for key, file in exposed:
            yield Finding(
                name="secrets",
                status=Status.WARNING,
                statement=f"{key}: other users of this host may read or write {file}",
                remedy=f"chmod o= {file}",
            )
        if (trouble := too_few_rows(self._target.values, planned.most_connections)) is not None:
            yield failure("values", ConfigError(trouble))
        highest = planned.most_connections
        yield readiness.highest_level(
            highest, bound.connections if bound else None, bound.resource.value if bound else None
        )
        yield from self._of_the_intent(planned, bound)
        if self._updates_per_s:
            yield readiness.message_rate(self._updates_per_s, highest, self._workers)
        sockets = planned.most_connections + sum(most_actors(planned, self._profile).values())
        here = platform.node()
        if sources := addresses_in(self._target.source_addresses):
            yield from attempt(
                "source addresses",
                lambda: check_sources(sources, identities, here),
                lambda _: f"the target is reachable from all {len(sources)}",
            )
        yield from attempt(
            "descriptors and ports",
            lambda: check_room(sockets, identities, here),
            lambda _: (
                f"{units.counted(sockets, 'socket')} needed; {identities[0].descriptors:,} descriptors"
                f" per worker, {identities[0].ports:,} ports per address"
            ),
        )
        if (tracked := _tracked()) is not None:
            yield readiness.connection_tracking(sockets, *tracked)
        yield readiness.generator_memory(sockets, psutil.virtual_memory().available)

    def _of_the_intent(self, planned: Planned, bound: AuditedBound | None) -> Iterator[Finding]:
        """Yield what the run would do to the target, and which questions it could answer."""
        profile, target, rules = self._profile, self._target, planned.rules
        declared = target.slo.model_dump() if target.slo is not None else {}
        objectives = {
            Resource(name): (each["quantile"], each["limit_s"])
            for name, each in declared.items()
            if each is not None
        }
        levels = len({step.connections for step in planned.steps if step.connections})
        by = None
        if rules is not None:
            levels = levels_up_to(
                rules.most, start=rules.start, growth=rules.growth, levels=rules.levels
            )
            limit = effective_limits(self._limits).get(bound.resource) if bound else None
            by = rules.most_by + (f", read from {limit.source}" if limit is not None else "")
        yield load_finding(planned.most_connections, by, profile.connects_per_s, levels)
        guards = profile.guards.model_dump() if profile.guards is not None else None
        yield guards_finding(guards, objectives)
        finding = objectives_finding(
            objectives,
            mix_levels=None if isinstance(profile, BreakProfile) else levels,
            is_polled=target.rest is not None and profile.mix.requests_per_s_per_connection > 0,
            is_followed=self._dialect.time is not None
            and profile.mix.subscriptions_per_connection > 0,
        )
        if finding is not None:
            yield finding

    def _of_other_runs(self) -> Finding:
        address = f"{self._target.host}:{self._target.port}"
        try:
            with locked(LOCKS, address, run="doctor"):
                return _ok("other runs", f"no scheduled run is loading {address}")
        except LockedError as error:
            return Finding(
                name="other runs",
                status=Status.WARNING,
                statement=str(error),
                remedy="Wait until it has finished: two concurrent runs disturb each other",
            )
        except CapacityError as error:
            return failure("other runs", error)

    def _of_this_host(self) -> Iterator[Finding]:
        yield readiness.generator_cores(self._workers, len(os.sched_getaffinity(0)))
        yield self._of_other_runs()
        folder = next(path for path in (RUNS.absolute(), *RUNS.absolute().parents) if path.exists())
        if os.access(folder, os.W_OK):
            yield readiness.disk(shutil.disk_usage(folder).free, str(RUNS))
        else:
            yield Finding(
                name="disk",
                status=Status.FAILURE,
                statement=f"{folder} is not writable",
                remedy="Run from a directory where reports/ can be created, or set --run",
            )


def attempt(
    name: str, look: Callable[[], _T], statement: Callable[[_T], str]
) -> Generator[Finding, None, _T | None]:
    """Yield what a look finds, and return what it returns; None where it raises."""
    try:
        seen = look()
    except CapacityError as error:
        yield failure(name, error)
        return None
    yield _ok(name, statement(seen))
    return seen


def _tracked() -> tuple[int, int] | None:
    """Return the connections tracked here and the most that can be; None where none are."""
    try:
        return int((_NETFILTER / "nf_conntrack_count").read_text("ascii")), int(
            (_NETFILTER / "nf_conntrack_max").read_text("ascii")
        )
    except OSError:
        return None


def failure(name: str, error: CapacityError) -> Finding:
    """Return an error of ours as a finding: its sentence says what is wrong, then what to do."""
    statement, _, remedy = str(error).partition("; ")
    return Finding(
        name=name,
        status=Status.FAILURE,
        statement=statement,
        remedy=remedy[:1].upper() + remedy[1:] or None,
    )


def _ok(name: str, statement: str) -> Finding:
    return Finding(name=name, status=Status.OK, statement=statement)
