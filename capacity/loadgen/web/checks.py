"""Before a run is started from the page: what it would send, and what stands in its way."""

from dataclasses import dataclass

from capacity.domain import units
from capacity.domain.answers.finding import Finding, Status
from capacity.domain.errors import CapacityError, without_content
from capacity.loadgen.checks.attempts import failure
from capacity.loadgen.checks.doctor import Examination
from capacity.loadgen.checks.planned.planned_load import Planned
from capacity.planning.safety.run_preview import levels_up_to
from capacity.settings.locate import find
from capacity.settings.profile import BreakProfile, load_profile
from capacity.settings.target import load_target


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a run of *profile* against *target* would be; nothing of its load was sent."""

    target: str
    profile: str
    highest: str = ""
    outlook: str = ""
    """What decides about the steps that are not known yet."""
    steps: tuple[tuple[str, ...], ...] = ()
    findings: tuple[Finding, ...]
    """What stands in the way first."""

    @property
    def failures(self) -> int:
        return sum(finding.status is Status.FAILURE for finding in self.findings)


_ORDER = (Status.FAILURE, Status.WARNING, Status.UNKNOWN, Status.OK)
STEP_COLUMNS = ("Step", "Connections", "Channels each", "Requests", "Opened at most at", "Held for")


def preview_of(target: str, profile: str, workers: int) -> Preview:
    """Look at target and generator as `capacity doctor` does: a few connections, one request."""
    try:
        settings = load_target(find("targets", target))
        means = load_profile(find("profiles", profile))
        examination = Examination(settings, means, workers)
    except CapacityError as error:
        found = failure("settings", CapacityError(without_content(error)))
        return Preview(target=target, profile=profile, findings=(found,))
    findings = tuple(sorted(examination.findings(), key=lambda each: _ORDER.index(each.status)))
    planned = examination.planned
    return Preview(
        target=target,
        profile=profile,
        highest="" if planned is None else _highest(planned),
        outlook=""
        if planned is None
        else _outlook(planned, is_search=isinstance(means, BreakProfile)),
        steps=() if planned is None else _steps(planned),
        findings=findings,
    )


def _highest(planned: Planned) -> str:
    text = f"at most {units.counted(planned.most_connections, 'connection')}"
    if planned.most_requests_per_s:
        text += f" and {units.rate(planned.most_requests_per_s, 'requests')}"
    return text


def _outlook(planned: Planned, *, is_search: bool) -> str:
    if planned.rules is not None:
        rules = planned.rules
        levels = levels_up_to(
            rules.most, start=rules.start, growth=rules.growth, levels=rules.levels
        )
        return (
            f"Up to {units.counted(levels, 'level')}, each at most {units.number(rules.growth)} times"
            f" the one before and decided from it; never more than {rules.most_by}:"
            f" {units.counted(rules.most, 'connection')}."
        )
    if is_search:
        return "A search between these two: it goes on until the target fails, and may break it."
    return "These steps, one after the other."


def _steps(planned: Planned) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            units.step_number(index) + ("" if step.connections else " (baseline)"),
            units.count(step.connections),
            units.count(step.subscriptions_per_connection if step.connections else 0),
            units.rate(step.requests_per_s, "requests"),
            units.rate(step.connects_per_s, "connects"),
            units.duration(step.settle_s + step.plateau_s),
        )
        for index, step in enumerate(planned.steps)
    )
