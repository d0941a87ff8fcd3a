"""A real exchange, a real agent, and what is wrong planted in each."""

import pytest
import yaml

from capacity.domain.answers.finding import Status
from capacity.loadgen.checks.doctor import Examination
from capacity.settings.locate import find
from capacity.settings.profile import ADAPTER


def profile(kind="ramp", **changes):
    if kind == "ramp":
        changes.setdefault("levels", [2, 4])
    return ADAPTER.validate_python({"profile": 1, "name": "tiny", "kind": kind, **changes})


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch, root):
    (tmp_path / "config").symlink_to(root / "config")
    monkeypatch.chdir(tmp_path)


def found(target, asked=None, workers=1):
    findings = Examination(target, asked or profile(), workers).findings()
    return {finding.name: finding for finding in findings}


def test_nothing_stands_in_the_way_of_a_small_run_on_a_sound_target(exchange, agent, target_file):
    findings = found(target_file(exchange, agent.url))

    bad = {name for name, finding in findings.items() if finding.status is not Status.OK}
    # They do share one, and an agent that samples ten times a second is not cheap.
    assert {"hosts"} == bad - {"agent overhead"}


def test_each_finding_that_is_not_ok_has_one_fix(exchange, agent, target_file):
    findings = found(target_file(exchange, agent.url), profile(levels=[60_000]), workers=9)

    bad = [finding for finding in findings.values() if finding.status is not Status.OK]
    assert {"descriptors and ports", "highest step", "generator's cores"} <= {f.name for f in bad}
    assert all(finding.remedy for finding in bad)


def test_everything_is_looked_at_although_the_target_is_down(agent, target_file, exchange):
    gone = target_file(exchange, agent.url, port=1)
    findings = found(gone)

    assert Status.FAILURE is findings["handshake and subscription"].status
    assert "correct host and port" in findings["handshake and subscription"].remedy
    assert Status.OK is findings["agent"].status
    assert Status.OK is findings["disk"].status


def test_an_agent_that_is_down_is_a_failure_and_the_target_is_tried_all_the_same(
    exchange, target_file
):
    findings = found(target_file(exchange, "http://127.0.0.1:1"))

    assert Status.FAILURE is findings["agent"].status
    assert "capacity agent --port" in findings["agent"].remedy
    assert Status.OK is findings["handshake and subscription"].status


def test_without_an_agent_the_limits_are_unknown(exchange, target_file):
    findings = found(target_file(exchange))

    assert Status.UNKNOWN is findings["agent"].status
    assert Status.UNKNOWN is findings["highest step"].status


@pytest.mark.parametrize(
    ("dialect", "name", "status"),
    [
        ("url-subscribe", "handshake and subscription", Status.FAILURE),
        ("json-push", "updates", Status.WARNING),
    ],
    ids=["of a path that is not there", "of a path that another of its dialects has"],
)
def test_another_dialect_is_told(exchange, target_file, dialect, name, status):
    findings = found(target_file(exchange, dialect=dialect, channels=["updates"], rest=None))

    assert status is findings[name].status


def test_a_short_accept_queue_is_too_short_for_a_fast_ramp(
    start_exchange, start_agent, target_file
):
    server = start_exchange("--backlog", "20")
    watcher = start_agent("--pid", str(server.pid))
    target = target_file(server, watcher.url)

    slow = found(target, profile(connects_per_s=10))["accept queue"]
    fast = found(target, profile(connects_per_s=400))["accept queue"]
    assert (Status.OK, Status.WARNING) == (slow.status, fast.status)
    assert "21 connections" in fast.statement
    assert "connects_per_s in the profile to 42" in fast.remedy


def test_a_planted_descriptor_limit_bounds_the_highest_step(
    start_exchange, start_agent, target_file
):
    server = start_exchange("--descriptor-limit", "300")
    watcher = start_agent("--pid", str(server.pid))
    highest = found(target_file(server, watcher.url), profile(levels=[400]))["highest step"]

    assert Status.WARNING is highest.status
    assert "(descriptors)" in highest.statement


def test_what_the_run_will_do_is_said_before_it_does(start_exchange, start_agent, target_file):
    server = start_exchange("--descriptor-limit", "300")
    watcher = start_agent("--pid", str(server.pid))
    slo = {"delivery_delay": {"quantile": 0.99, "limit_s": 0.05}}
    target = target_file(server, watcher.url, slo=slo)
    findings = found(target, profile("safe", connects_per_s=50, levels=2))

    assert "25 % of file descriptors (" in findings["load"].statement
    assert "read from /proc/" in findings["load"].statement
    assert "50 connects/s" in findings["load"].statement
    assert "90 % utilization of a counted limit" in findings["guards"].statement
    assert Status.WARNING is findings["objectives"].status
    assert Status.OK is found(target, profile("safe", levels=3))["objectives"].status


def test_an_update_of_each_channel_is_shown_with_the_handshake(exchange, agent, target_file):
    findings = found(target_file(exchange, agent.url))

    assert Status.OK is findings["updates"].status
    assert "before now" in findings["updates"].statement
    assert Status.OK is findings["watched process"].status


@pytest.mark.parametrize(
    ("change", "name", "status", "said"),
    [
        ({"data": {"where": {"method": "no such"}}}, "updates", Status.FAILURE, '{"jsonrpc"'),
        (
            {"time": {"path": "timestamp", "unit": "s"}},
            "time of publication",
            Status.WARNING,
            "is unit ms?",
        ),
        (
            {"time": {"path": "no.such", "unit": "ms"}},
            "time of publication",
            Status.WARNING,
            "leads to nothing",
        ),
        (
            {"sequence": [{"rule": "plus_one", "seq": "no.such"}]},
            "sequence",
            Status.WARNING,
            "holds a whole number in none",
        ),
        (
            {"sequence": [{"rule": "plus_one", "seq": "timestamp"}]},
            "sequence",
            Status.WARNING,
            "so often that rule or scope of sequence",
        ),
    ],
    ids=["data.where", "time.unit", "time.path", "sequence", "rule"],
)
def test_a_dialect_that_does_not_fit_is_told_where_it_does_not(
    exchange, target_file, tmp_path, change, name, status, said
):
    dialect = yaml.safe_load(find("dialects", "deribit").read_text())
    file = tmp_path / "other.yaml"
    file.write_text(yaml.safe_dump({**dialect, **change}))
    finding = found(target_file(exchange, dialect=str(file)))[name]

    assert status is finding.status
    assert said in finding.statement
    assert finding.remedy


def test_a_rest_server_that_the_agent_does_not_watch_is_told(
    exchange, agent, start_exchange, target_file
):
    other = start_exchange()
    elsewhere = found(target_file(exchange, agent.url, http={"port": other.port}))

    assert Status.WARNING is elsewhere["REST server"].status
    assert f"requests go to 127.0.0.1:{other.port}" in elsewhere["REST server"].statement
    assert Status.OK is elsewhere["REST request"].status


@pytest.mark.parametrize(
    ("passphrase", "status", "said"),
    [
        ("open sesame", Status.OK, "logged in and confirmed in"),
        ("wrong", Status.FAILURE, "60009 Login failed"),
    ],
)
def test_both_connections_of_a_client_are_tried(okx_target, passphrase, status, said):
    findings = found(okx_target(passphrase=passphrase), profile(levels=[12]))

    assert Status.OK is findings["handshake and subscription"].status
    assert status is findings["private connection"].status
    assert said in findings["private connection"].statement
    assert "(6 clients of 2 each, one of them private)" in findings["load"].statement
    assert "private.values.api_key has 5 rows" in findings["values"].statement


def test_a_private_credential_that_others_may_read_is_told(okx_target, tmp_path):
    target = okx_target()
    (tmp_path / "accounts.csv").chmod(0o604)

    assert found(target)["secrets"].statement.startswith("private.values.")
