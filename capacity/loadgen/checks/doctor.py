"""Everything that a run needs, looked at before it is sent: what `capacity doctor` prints.

What makes a run impossible is found by the same functions that the preflight of a run raises from
(preflight.py), so that both say the same; what only spoils it is judged by planning/safety/readiness.py.
Unlike a preflight the examination goes on after a failure.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from capacity.domain import units
from capacity.domain.answers.finding import Finding, Status
from capacity.domain.errors import CapacityError
from capacity.domain.resources import Limit, Resource
from capacity.domain.sample import AgentInfo
from capacity.loadgen.checks.agent_watch import watch
from capacity.loadgen.checks.attempts import attempt, failure, ok
from capacity.loadgen.checks.host_findings import host_findings
from capacity.loadgen.checks.load_findings import LoadExamination
from capacity.loadgen.checks.planned.planned_load import Planned
from capacity.loadgen.checks.preflight import checked_offset, latest_reading
from capacity.loadgen.checks.request_trial import try_request
from capacity.loadgen.checks.trial import try_conversation, try_private
from capacity.loadgen.checks.worker_identity import PROGRAM, boot_id
from capacity.planning.evidence.effective_limits import limits_at
from capacity.planning.safety import readiness
from capacity.planning.safety.heard_updates import heard_findings
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.profile import Profile
from capacity.settings.target import Target
from capacity.settings.targets.private import private_dialect
from capacity.sources.source import Source
from capacity.sources.source_of_target import open_source

LISTEN_S = 2.0
"""How long the trial connection counts updates."""


class Examination:
    """One look at one target for one profile; the findings are in the order of the looking."""

    def __init__(self, target: Target, profile: Profile, workers: int) -> None:
        """Raise ConfigError where the target names a dialect that is not there."""
        self._target = target
        self._profile = profile
        self._workers = workers
        self._dialect = load_dialect(find("dialects", target.dialect))
        private = target.private
        self._private = None if private is None else private_dialect(private, target.dialect)
        self._limits: tuple[Limit, ...] = target.spec().limits
        self._used: Mapping[Resource, float] = {}
        self._updates_per_s: float | None = None
        self._is_reached = False
        self._source: Source | None = None
        self._info: AgentInfo | None = None
        self._load = LoadExamination(target, self._dialect, profile, workers, self._private)

    @property
    def planned(self) -> Planned | None:
        """The load that the profile means, once it was looked at and can be offered."""
        return self._load.planned

    def findings(self) -> list[Finding]:
        """Return everything found; nothing that is wrong raises."""
        try:
            return [
                *self._of_the_agent(),
                *self._of_the_target(),
                *self._load.findings(
                    self._limits,
                    self._used,
                    is_reached=self._is_reached,
                    updates_per_s=self._updates_per_s,
                ),
                *host_findings(f"{self._target.host}:{self._target.port}", self._workers),
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
        which = f"{info.target_name} (pid {pids})" if pids else info.target_name
        yield ok("agent", f"{source.name} watches {which} on {info.host}")
        version = PROGRAM.split(maxsplit=1)[0]
        if info.is_agent and info.agent_version != version:
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
        if info.is_agent:
            yield readiness.agent_cost(newest.gauges.get("agent_cpu_cores"))
        yield readiness.unseen_limits(read, is_agent=info.is_agent)
        if (own := readiness.application_limit(self._limits)) is not None:
            yield own
        if info.is_agent:
            yield readiness.accept_queue(
                info.audit,
                self._target.port,
                self._profile.connects_per_s,
                has_seen_ports=info.listening_ports is not None or not info.audit,
            )
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
        if self._private is not None:
            yield from attempt(
                "private connection",
                partial(try_private, self._target, self._private),
                lambda trial: f"logged in and confirmed in {units.duration(trial.opened_s)}",
            )
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
            found = watch(self._target, self._dialect, self._source, self._info)
            yield found.finding
            self._limits = (*found.limits, *self._limits)
            if (other := readiness.application_limit(found.limits)) is not None:
                yield replace(other, name="limit on the way")
        except CapacityError as error:
            yield failure("watched process", error)
