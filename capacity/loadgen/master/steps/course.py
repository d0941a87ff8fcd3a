"""Which sequence of steps a profile asks for."""

from collections.abc import Sequence
from dataclasses import replace

from capacity.loadgen.checks.preflight import Preflight
from capacity.loadgen.master.steps.adaptive_steps import AdaptiveSteps
from capacity.loadgen.master.steps.limit_search import LimitSearch
from capacity.loadgen.master.steps.step_sequence import ListedSteps, StepSequence
from capacity.settings.profile import BreakProfile, Profile
from capacity.settings.targets.slo import Slo
from capacity.workload.profiles.search import Trial


def course_from(
    preflight: Preflight, profile: Profile, slo: Slo | None, earlier: Sequence[Trial]
) -> tuple[StepSequence, Preflight]:
    """Return what decides the steps, and *preflight* with those that it begins with.

    *earlier* are the trials of a search that this one goes on from.
    """
    if isinstance(profile, BreakProfile):
        search = LimitSearch(profile, preflight.steps[-1], slo, earlier)
        return search, replace(preflight, steps=(search.first_step(),))
    if preflight.experiment is not None and preflight.rules is not None:
        climb = AdaptiveSteps(
            preflight.experiment, preflight.rules, preflight.steps, preflight.declared
        )
        return climb, preflight
    return ListedSteps(), preflight
