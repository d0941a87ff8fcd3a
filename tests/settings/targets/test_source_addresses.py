"""Networks of the generator's own host."""

import pytest

from capacity.settings.targets.source_addresses import address_findings, addresses_in


def test_the_addresses_are_the_hosts_of_the_networks_named():
    assert (
        *(f"127.0.1.{n}" for n in range(1, 7)),
        "10.0.0.5",
        "10.0.1.0",
        "10.0.1.1",
    ) == addresses_in(["127.0.1.0/29", "10.0.0.5", "10.0.1.0/31"])


def test_1024_addresses_are_used_and_no_more():
    assert [] == list(address_findings(("10.0.0.0/22",)))

    ((place, sentence),) = address_findings(("10.0.0.0/22", "10.1.0.1"))
    assert ("source_addresses",) == place
    assert sentence.startswith("are 1025 addresses, at most 1024 are used")


def test_networks_beside_each_other_do_not_overlap():
    assert [] == list(address_findings(("127.0.0.0/31", "127.0.0.2/31")))


@pytest.mark.parametrize("second", ["127.0.0.1", "127.0.0.0/30"])
def test_an_address_in_two_networks_is_listed_before(second):
    ((place, sentence),) = address_findings(("127.0.0.0/31", second))

    assert ("source_addresses", 1) == place
    assert f"{second} holds addresses listed before" == sentence
