"""A look that succeeds, and one that raises an error of ours."""

import pytest

from capacity.domain.answers.finding import Finding, Status
from capacity.domain.errors import PreflightError
from capacity.loadgen.checks.attempts import attempt, failure


def looked(look):
    """Return what is found, and what the look returned."""
    found = []

    def collecting():
        seen = yield from attempt("door", look, "{} is open".format)
        found.append(seen)

    return list(collecting()), found[0]


def test_what_was_seen_is_said_and_handed_on():
    assert ([Finding(name="door", status=Status.OK, statement="it is open")], "it") == looked(
        lambda: "it"
    )


def test_an_error_of_ours_is_a_failure_with_its_remedy_and_nothing_is_handed_on():
    def look():
        raise PreflightError("no key (7 tried); turn it; then push")

    (finding,), seen = looked(look)

    assert seen is None
    assert Status.FAILURE is finding.status
    assert ("no key (7 tried)", "Turn it; then push") == (finding.statement, finding.remedy)


def test_an_error_without_a_remedy_has_none():
    assert failure("door", PreflightError("gone")).remedy is None


def test_another_error_is_a_defect_and_not_a_finding():
    with pytest.raises(ZeroDivisionError):
        looked(lambda: 1 / 0)
