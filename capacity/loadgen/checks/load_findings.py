"""The load that a profile means: what it would do to the target, and whether the generator can offer it."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from capacity.domain import units
from capacity.domain.answers.finding import Finding, Status
from capacity.domain.errors import ConfigError
from capacity.domain.resources import Limit, Resource
from capacity.domain.words import RESOURCES
from capacity.loadgen.checks.attempts import attempt, failure
from capacity.loadgen.checks.generator_limits import (
    check_sockets,
    check_sources,
    most_actors,
    most_sockets,
)
from capacity.loadgen.checks.planned.planned_load import (
    Planned,
    course_of,
    whole_clients,
)
from capacity.loadgen.checks.worker_identity import WorkerIdentity, identity_here
from capacity.planning.evidence.effective_limits import effective_limits
from capacity.planning.safety import readiness
from capacity.planning.safety.audited_bound import AuditedBound, audited_bound
from capacity.planning.safety.run_preview import (
    guards_finding,
    levels_up_to,
    load_finding,
    objectives_finding,
)
from capacity.settings.profile import BreakProfile, Profile
from capacity.settings.secrets import headers_for_others
from capacity.settings.target import Target
from capacity.settings.targets.private import lacking_rows
from capacity.settings.targets.source_addresses import addresses_in
from capacity.settings.values import files_for_others
from capacity.workload.dialects.dialect import Dialect

_NETFILTER = Path("/proc/sys/net/netfilter")


class LoadExamination:
    """One look at the load that a profile means for a target."""

    def __init__(
        self,
        target: Target,
        dialect: Dialect,
        profile: Profile,
        workers: int,
        private: Dialect | None = None,
    ) -> None:
        """Look at it for a *target* whose private connections speak *private*, if it has any."""
        self._target = target
        self._dialect, self._private = dialect, private
        self._profile = whole_clients(profile, target)
        self._workers = workers
        self.planned: Planned | None = None
        """Once it was looked at and can be offered."""

    def findings(
        self,
        limits: Sequence[Limit],
        used: Mapping[Resource, float],
        *,
        is_reached: bool,
        updates_per_s: float | None,
    ) -> Iterator[Finding]:
        """Yield what is found, given the target's *limits* and what it has *used* of them.

        *is_reached* says whether a trial connection was served, *updates_per_s* what it heard.
        """
        bound = audited_bound(limits, used)
        identity = identity_here(self._target, self._dialect, is_reached=is_reached)
        identities = [identity] * self._workers
        planned = yield from attempt(
            "profile",
            lambda: course_of(
                *(self._target, self._dialect, self._profile, bound),
                most_sockets(identities),
                private=self._private,
            ),
            lambda planned: (
                f"{units.counted(len(planned.steps), 'step')} of kind {self._profile.kind}"
                f"{' to begin with' if planned.experiment is not None else ''}"
            ),
        )
        self.planned = planned
        if planned is None:
            return
        yield from self._of_values(planned.most_connections)
        highest = planned.most_connections
        yield readiness.highest_level(
            highest, bound.connections if bound else None, bound.resource.value if bound else None
        )
        yield from self._of_the_intent(planned, bound, limits)
        if updates_per_s:
            yield readiness.message_rate(updates_per_s, highest, self._workers)
        yield from self._of_sockets(planned, identities)

    def _of_values(self, connections: int) -> Iterator[Finding]:
        exposed = (
            *files_for_others(self._target.values),
            *self._private_files(),
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
        for trouble in lacking_rows(self._target.values, self._target.private, connections):
            yield failure("values", ConfigError(trouble))

    def _private_files(self) -> list[tuple[str, str]]:
        private = self._target.private
        found = files_for_others(private.values) if private is not None else []
        return [(f"private.{key}", file) for key, file in found]

    def _of_the_intent(
        self, planned: Planned, bound: AuditedBound | None, limits: Sequence[Limit]
    ) -> Iterator[Finding]:
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
            is_limit = bound is not None and RESOURCES[bound.resource] in rules.most_by
            limit = effective_limits(limits).get(bound.resource) if bound and is_limit else None
            by = rules.most_by + (f", read from {limit.source}" if limit is not None else "")
        yield load_finding(
            planned.most_connections,
            by,
            profile.connects_per_s,
            levels,
            per_client=target.connections_per_client,
        )
        guards = profile.guards.model_dump() if profile.guards is not None else None
        yield guards_finding(guards, objectives)
        finding = objectives_finding(
            objectives,
            mix_levels=None if isinstance(profile, BreakProfile) else levels,
            is_polled=target.rest is not None and profile.mix.requests_per_s_per_connection > 0,
            is_followed=bool(self._dialect.times) and profile.mix.subscriptions_per_connection > 0,
        )
        if finding is not None:
            yield finding

    def _of_sockets(
        self, planned: Planned, identities: Sequence[WorkerIdentity]
    ) -> Iterator[Finding]:
        """Yield whether the generator has descriptors, ports, entries and memory for its sockets."""
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
            lambda: check_sockets(sockets, identities, here),
            lambda _: (
                f"{units.counted(sockets, 'socket')} needed; {identities[0].descriptors:,} descriptors"
                f" per worker, {identities[0].ports:,} ports per address"
            ),
        )
        if (tracked := _tracked()) is not None:
            yield readiness.connection_tracking(sockets, *tracked)
        yield readiness.generator_memory(sockets, psutil.virtual_memory().available)


def _tracked() -> tuple[int, int] | None:
    """Return the connections tracked here and the most that can be; None where none are."""
    try:
        return int((_NETFILTER / "nf_conntrack_count").read_text("ascii")), int(
            (_NETFILTER / "nf_conntrack_max").read_text("ascii")
        )
    except OSError:
        return None
