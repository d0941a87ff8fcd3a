"""Profiles held against planted limits and against this host, without a target."""

from dataclasses import replace

import pytest

from capacity.domain.answers.finding import Status
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.loadgen.checks import load_findings
from capacity.loadgen.checks.load_findings import LoadExamination
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.profile import ADAPTER
from capacity.settings.target import load_target

TARGET = load_target(find("targets", "demo"))
DIALECT = load_dialect(find("dialects", TARGET.dialect))
DESCRIPTORS = Limit(
    resource=Resource.DESCRIPTORS,
    state=LimitState.KNOWN,
    value=300.0,
    scope="process",
    source="/proc/7/limits",
)


def found(target=TARGET, limits=(DESCRIPTORS,), workers=1, updates_per_s=None, **profile):
    asked = ADAPTER.validate_python(
        {"profile": 1, "name": "tiny", "kind": "ramp", **({"levels": [2, 4]} | profile)}
    )
    looked_at = LoadExamination(target, DIALECT, asked, workers)
    used = {Resource.DESCRIPTORS: 20.0}
    findings = list(looked_at.findings(limits, used, is_reached=False, updates_per_s=updates_per_s))
    return {finding.name: finding for finding in findings}, looked_at.planned


def test_the_load_that_can_be_offered_is_kept_for_who_shows_it():
    findings, planned = found()

    assert 4 == planned.most_connections
    assert "3 steps of kind ramp" == findings["profile"].statement


def test_a_profile_that_cannot_be_offered_ends_the_look_there():
    findings, planned = found(kind="safe", limits=(), levels=3)

    assert planned is None
    assert {"profile": Status.FAILURE} == {name: f.status for name, f in findings.items()}


@pytest.mark.parametrize(("levels", "status"), [([2, 250], Status.OK), ([2, 400], Status.WARNING)])
def test_a_known_limit_bounds_the_highest_step(levels, status):
    findings, _ = found(levels=levels)

    assert status is findings["highest step"].status
    assert "(descriptors)" in findings["highest step"].statement


def test_what_the_climb_stops_at_is_said_with_where_it_was_read():
    findings, _ = found(kind="safe", levels=3)

    assert "read from /proc/7/limits" in findings["load"].statement


def test_a_climb_that_the_weight_of_its_polls_ends_is_not_said_to_end_at_a_limit_of_the_host():
    rest = {"operation": "ticker", "total_weight_per_s": 1}
    polls = {"requests_per_s_per_connection": 0.1}
    target = TARGET.model_validate({**TARGET.model_dump(), "rest": rest})
    findings, _ = found(target, kind="safe", levels=3, mix=polls)

    assert "rest.total_weight_per_s of target demo (1)" in findings["load"].statement
    assert "/proc/7/limits" not in findings["load"].statement


@pytest.mark.parametrize(("mode", "is_told"), [(0o600, False), (0o604, True)])
def test_a_header_from_a_file_that_others_may_read_is_told(tmp_path, mode, is_told):
    key = tmp_path / "key"
    key.write_text("s3cret\n")
    key.chmod(mode)
    headers = {"X-Api-Key": {"file": str(key)}}
    findings, _ = found(TARGET.model_validate({**TARGET.model_dump(), "headers": headers}))

    assert is_told == ("secrets" in findings)
    assert not is_told or findings["secrets"].statement.startswith("headers.X-Api-Key.file: other")
    assert "s3cret" not in str(findings)


@pytest.mark.parametrize(("updates_per_s", "is_told"), [(None, False), (3.0, True)])
def test_what_one_connection_heard_is_told_for_all(updates_per_s, is_told):
    findings, _ = found(updates_per_s=updates_per_s)

    assert is_told == ("12 updates/s" in str(findings))


def test_a_worker_without_descriptors_enough_is_told(monkeypatch):
    real = load_findings.identity_here
    monkeypatch.setattr(
        load_findings,
        "identity_here",
        lambda *given, **named: replace(real(*given, **named), descriptors=3),
    )
    findings, _ = found()

    assert Status.FAILURE is findings["descriptors and ports"].status


@pytest.mark.parametrize(
    ("requests_per_s", "subscriptions", "has_rest", "said"),
    [
        (0.1, 1, True, "forecast from up to 3 levels"),
        (0.0, 1, True, "does not exercise request"),
        (0.1, 1, False, "does not exercise request"),
        (0.1, 0, True, "does not exercise delivery"),
    ],
)
def test_an_objective_is_forecast_only_where_the_workload_exercises_it(
    requests_per_s, subscriptions, has_rest, said
):
    objective = {"quantile": 0.99, "limit_s": 0.1}
    changes = {"slo": {"delivery_delay": objective, "request_latency": objective}}
    if not has_rest:
        changes["rest"] = None
    findings, _ = found(
        TARGET.model_validate({**TARGET.model_dump(), **changes}),
        levels=[2, 4, 6],
        mix={
            "requests_per_s_per_connection": requests_per_s,
            "subscriptions_per_connection": subscriptions,
        },
    )

    assert said in findings["objectives"].statement
