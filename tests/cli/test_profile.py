"""`capacity profile list`."""

import json

from click.testing import CliRunner

from capacity.cli.profile import command, described
from capacity.settings.locate import find, names_of
from capacity.settings.profile import load_profile

SCENARIOS = {
    "steady",
    "volatile",
    "open-of-day",
    "soak",
    "spike",
    "gateway-loss",
    "slow-consumers",
    "handshake-flood",
    "expiry-24h",
    "rate-limits",
}


def listed(*arguments):
    return CliRunner().invoke(command, ["list", *arguments]).output


def test_every_shipped_profile_says_its_question_and_where_its_numbers_come_from():
    rows = json.loads(listed("--json"))["profiles"]

    assert names_of("profiles") == [row["name"] for row in rows]
    assert SCENARIOS <= {row["name"] for row in rows}
    for row in rows:
        assert row["question"], row["name"]
        assert row["basis"], row["name"]


def test_the_table_has_them_all():
    table = listed()

    assert all(name in table for name in names_of("profiles"))


def test_what_is_known_before_a_run():
    def row(name):
        return described(name, load_profile(find("profiles", name)))

    spike, ramp, safe = row("spike"), row("ramp"), row("safe")

    assert (200, 260.0) == (spike["most_connections"], spike["least_s"])
    assert (800, 65.0) == (ramp["most_connections"], ramp["least_s"])
    assert (None, None) == (safe["most_connections"], safe["least_s"])
    assert 20_000 == row("break")["most_connections"]
