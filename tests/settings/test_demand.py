"""Demand files."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.demand import load_demand
from capacity.settings.hosts import load_hosts

CONFIG = Path(__file__).parents[2] / "config"
GOOD = "demand: 1\nname: d\nconnections: 5000\nas_of: 2026-12-01\n"


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text):
        Path("d.yaml").write_text(text)
        return Path("d.yaml")

    return write


def test_a_demand_needs_only_connections_and_a_day(file):
    demand = load_demand(file(GOOD))

    assert (demand.connections, demand.headroom_ratio, demand.lost_instances) == (5_000.0, 0.2, 1)
    assert demand.as_of_at == datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    assert (demand.growth_per_month, demand.size_for_at, demand.deliveries_per_s) == (
        None,
        None,
        None,
    )


def test_growth_comes_with_its_interval(file):
    demand = load_demand(file(GOOD + "growth_per_month: 0.05\ngrowth_uncertainty: 0.02\n"))
    growth = demand.growth_per_month

    assert (growth.low, growth.mid, growth.high) == pytest.approx((0.03, 0.05, 0.07))
    assert growth.confidence == 0.9


@pytest.mark.parametrize(
    ("policy", "first", "late"),
    [
        ("immediate", (0.0, 0.0), (0.0, 0.0)),
        ("fixed", (2.0, 2.0), (2.0, 2.0)),
        ("exponential", (2.0, 2.0), (30.0, 30.0)),
        ("full_jitter", (0.0, 2.0), (0.0, 30.0)),
    ],
)
def test_a_policy_becomes_the_waits_it_leads_to(file, policy, first, late):
    clients = f"reconnecting: {{policy: {policy}, base_s: 2, cap_s: 30}}\n"
    retry = load_demand(file(GOOD + clients)).retry

    assert retry.policy == policy
    assert retry.waits_s[0] == pytest.approx(first)
    assert retry.waits_s[-1] == pytest.approx(late)


def test_the_shipped_demand_loads_with_and_without_the_shipped_catalogue():
    path = CONFIG / "demand" / "example.yaml"

    assert load_demand(path).name == "example"
    assert load_demand(path, load_hosts(CONFIG / "hosts" / "example.yaml")).zones == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD.replace("5000", "0"), "3: connections: must be greater than 0 (got 0)"),
        (GOOD + "growth_per_month: -1", "5: growth_per_month: must be greater than -1 (got -1)"),
        (
            GOOD + "growth_per_month: -0.9\ngrowth_uncertainty: 0.2",
            (
                "6: growth_uncertainty: must be lower than growth_per_month + 1, 0.1 (got 0.2):"
                " nothing shrinks by more than 100 %"
            ),
        ),
        (
            GOOD + "zones: 2\nlost_zones: 2",
            "6: lost_zones: must be lower than zones, 2 (got 2)",
        ),
        (
            GOOD + "size_for: 2026-11-30",
            "5: size_for: must not be before as_of, 2026-12-01 (got 2026-11-30)",
        ),
        (
            GOOD + "size_for: 2027-03-01",
            "5: size_for: needs growth_per_month: without it the demand of that day is unknown",
        ),
        (
            GOOD + "zones: 2\ninstances: 3",
            "6: instances: must be a multiple of zones, 2 (got 3): they are spread evenly",
        ),
        (
            GOOD + "host: big",
            (
                "5: host: no such host type in the catalogue; known: none;"
                " give a catalogue with --hosts (got big)"
            ),
        ),
        (GOOD + "headroom: 1", "5: headroom: must be less than 1 (got 1)"),
    ],
)
def test_a_demand_that_cannot_be_is_refused_with_its_line(file, text, problem):
    with pytest.raises(ConfigError) as error:
        load_demand(file(text))

    assert str(error.value).splitlines()[0] == f"d.yaml:{problem}"


def test_a_day_that_is_none_is_refused(file):
    with pytest.raises(ConfigError, match=r"d\.yaml:4: as_of: .*2026-13-01"):
        load_demand(file(GOOD.replace("2026-12-01", "2026-13-01")))


def test_a_host_that_is_nearly_right_is_guessed(file):
    hosts = load_hosts(CONFIG / "hosts" / "example.yaml")

    with pytest.raises(ConfigError, match=r"d\.yaml:5: host: .*did you mean medium\?"):
        load_demand(file(GOOD + "host: medum"), hosts)
