import pytest

from capacity.loadgen.checks.preflight import check
from capacity.loadgen.master.steps.adaptive_steps import AdaptiveSteps
from capacity.loadgen.master.steps.course import course_from
from capacity.loadgen.master.steps.limit_search import LimitSearch
from capacity.loadgen.master.steps.step_sequence import ListedSteps
from capacity.settings.profile import ADAPTER


@pytest.mark.parametrize(
    ("kind", "settings", "sequence", "begun"),
    [
        ("ramp", {"levels": [2, 4]}, ListedSteps, [0, 2, 4]),
        ("break", {"start": 3, "limit": 9}, LimitSearch, [3]),
        ("safe", {"connections": 400, "start": 5, "steps_per_level": 1}, AdaptiveSteps, [0, 5]),
    ],
)
def test_a_profile_s_kind_decides_the_sequence_and_what_it_begins_with(
    exchange, target_file, kind, settings, sequence, begun
):
    profile = ADAPTER.validate_python({"profile": 1, "name": "n", "kind": kind, **settings})
    preflight = check(target_file(exchange), profile, workers=1)
    course, begins_with = course_from(preflight, profile, None, ())

    assert isinstance(course, sequence)
    assert begun == [step.connections for step in begins_with.steps]
