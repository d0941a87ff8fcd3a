"""A whole short run whose clients hold a public and a private connection each, at a venue that counts both."""

import json
import runpy
import urllib.request
from pathlib import Path

import pytest
import yaml

from capacity.cli.measure import measure
from capacity.domain.plan import Excuse
from capacity.planning.plan import plan
from capacity.recording.run_directory import load

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

TESTS = Path(__file__).parents[1]
running = runpy.run_path(str(TESTS / "running_programs.py"))["running"]
PROFILE = {
    "profile": 1,
    "name": "both",
    "kind": "ramp",
    "levels": [8],
    "connects_per_s": 50,
    "settle_s": 0.5,
    "plateau_s": 1,
    "mix": {"subscriptions_per_connection": 1},
}


@pytest.fixture
def venue():
    with running(TESTS / "loadgen" / "okx_venue.py") as server:
        yield server


def asked(venue, path):
    with urllib.request.urlopen(f"{venue.url}/{path}", timeout=30) as answer:
        return answer.read()


def recorded(folder, venue, ramp_timeout_s=40, levels=(8,), workers=1):
    rows = folder / "accounts.csv"
    rows.write_text("key,secret\n" + "".join(f"key-{n},of-{n}\n" for n in range(9)))
    target = {
        "target": 1,
        "name": "venue",
        "host": venue.host,
        "port": venue.port,
        "dialect": "okx",
        "symbols": ["BTC-USDT"],
        "channels": ["trades"],
        "agent": {"local": {"port": venue.port}},
        "limits": {"application_connections": {"value": 401, "source": "planted"}},
        "private": {
            "dialect": "okx-private",
            "channels": ["orders", "account"],
            "values": {
                "api_key": {"rows": "accounts.csv", "column": "key"},
                "secret_key": {"rows": "accounts.csv", "column": "secret"},
                "passphrase": "open sesame",
            },
        },
    }
    for name, content in (
        ("target", target),
        ("profile", PROFILE | {"ramp_timeout_s": ramp_timeout_s, "levels": list(levels)}),
    ):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    files = (folder / "target.yaml", folder / "profile.yaml")
    return load(measure(*files, workers=workers, run=folder / "run", timeout_s=90, quiet=True))


def test_a_run_of_both_kinds_holds_as_many_of_each_and_logs_every_client_in(tmp_path, venue):
    record = recorded(tmp_path, venue)
    seen = json.loads(asked(venue, "counts"))

    assert 4 == seen["most_private"]
    assert {"0", "1", "2", "3"} == seen["accounts"].keys()
    assert [0, 8] == [step.load.connections for step in record.steps]
    assert [0, 4] == [step.private.connections for step in record.steps]
    assert [0, 4] == [step.users for step in record.steps], "a user is a client"
    shown = [point.open_private for point in record.points if point.phase == "plateau"]
    assert (0, 4) == (shown[0], shown[-1])
    assert not any(step.failures for step in record.steps)
    assert 2 == record.manifest.target.connections_per_client


def test_a_cap_on_logins_is_told_as_the_private_ones_and_in_whole_clients(tmp_path, venue):
    asked(venue, "set?most_private=3")
    record = recorded(tmp_path, venue, ramp_timeout_s=4)
    cut_off, private = record.steps[-1].cut_off, record.steps[-1].private

    assert 6 == cut_off.connections
    assert (
        "held 6 connections of whole clients (7 were open, 3 of them private)" in cut_off.statement
    )
    assert "private: " in cut_off.statement
    assert private.failures == record.steps[-1].failures
    assert {"handshake_opening_refused"} == private.failures.keys()


def test_tokens_that_end_in_the_midst_of_a_run_give_no_capacity_and_the_venues_words(
    tmp_path, venue
):
    asked(venue, "set?ends_after=6")
    record = recorded(tmp_path, venue, ramp_timeout_s=4, levels=(4, 8, 18), workers=2)
    answer = plan(record)
    rows = [event.detail["row"] for event in record.events if event.kind == "refused_login"]

    assert [0, 4, 8] == [step.step.connections for step in record.steps[:3]]
    assert isinstance(answer, Excuse)
    assert (
        "still refused, 6 times: for its credentials, which are wrong or have ended"
        in answer.reason
    )
    assert "Token expired" in answer.reason
    assert rows
    assert all("accounts.csv" in row for row in rows)
