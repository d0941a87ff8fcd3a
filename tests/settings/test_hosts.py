"""Catalogues of host types."""

from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError
from capacity.domain.resources import Resource
from capacity.settings.hosts import load_hosts

SHIPPED = Path(__file__).parents[2] / "config" / "hosts" / "example.yaml"
GOOD = """hosts: 1
currency: EUR
types:
  - name: small
    cores: 2
    memory_bytes: 4000000000
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text):
        Path("h.yaml").write_text(text)
        return Path("h.yaml")

    return write


def test_a_type_needs_a_name_cores_and_memory(file):
    [small] = load_hosts(file(GOOD))

    assert (small.name, small.cores, small.memory_bytes, small.core_speed_ratio) == (
        "small",
        2.0,
        4e9,
        1.0,
    )
    assert (small.price_per_month, small.network_bytes_per_s, small.limits) == (None, None, {})


def test_limits_and_price_are_those_of_the_type(file):
    more = "    limits:\n      descriptors: 65536\n    price_per_month: 60\n"
    [small] = load_hosts(file(GOOD + more))

    assert small.limits == {Resource.DESCRIPTORS: 65_536.0}
    assert (small.price_per_month, small.currency) == (60.0, "EUR")


def test_the_shipped_catalogue_loads():
    assert all(host.price_per_month for host in load_hosts(SHIPPED))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD.replace("cores: 2", "cores: 0"), "5: types[0].cores: must be greater than 0 (got 0)"),
        (
            GOOD + "    prize_per_month: 60",
            "7: types[0].prize_per_month: unknown key; did you mean price_per_month?",
        ),
        (
            GOOD + "  - name: small\n    cores: 4\n    memory_bytes: 8e9",
            "7: types[1].name: is taken by item 0 (got small); names differ",
        ),
        (
            GOOD + "    price_per_month: -1",
            "7: types[0].price_per_month: must be greater than or equal to 0 (got -1)",
        ),
        ("hosts: 1\ncurrency: EUR\ntypes: []", "3: types: needs at least 1 item (got [])"),
    ],
)
def test_a_catalogue_that_cannot_be_is_refused_with_its_line(file, text, problem):
    with pytest.raises(ConfigError) as error:
        load_hosts(file(text))

    assert str(error.value) == f"h.yaml:{problem}"


def test_a_limit_on_nothing_we_know_is_refused(file):
    with pytest.raises(ConfigError, match=r"h\.yaml:8: types\[0\]\.limits\.beer"):
        load_hosts(file(GOOD + "    limits:\n      beer: 6\n"))
