"""Planted hosts: the smallest worker and the fullest host decide, each named with what would do."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.errors import PreflightError
from capacity.domain.run import ClockOffset
from capacity.loadgen.checks.generator_limits import (
    check_sockets,
    check_sources,
    hosts_of,
    most_actors,
    most_sockets,
)
from capacity.loadgen.checks.worker_identity import WorkerIdentity
from capacity.loadgen.wire.process_limits import DESCRIPTORS_BESIDE_CONNECTIONS
from capacity.settings.profile import ADAPTER

HERE = "master"


def worker(host=HERE, **changes):
    identity = WorkerIdentity(
        host=host,
        boot_id=f"boot of {host}",
        network="net:[1]",
        cores=2,
        descriptors=1100,
        ports=28_232,
        addresses=(),
        trouble=None,
    )
    return replace(identity, **changes)


def refusal(sockets, workers):
    with pytest.raises(PreflightError) as caught:
        check_sockets(sockets, workers, HERE)
    return str(caught.value)


def test_without_workers_nothing_is_known_and_nothing_refused():
    """One that is there is refused the same."""
    check_sockets(10**9, [], HERE)
    check_sources(["192.0.2.1"], [], HERE)

    assert "exceed" in refusal(10**9, [worker()])
    with pytest.raises(PreflightError):
        check_sources(["192.0.2.1"], [worker()], HERE)


def test_every_worker_has_descriptors_of_its_own():
    check_sockets(2000, [worker(), worker()], HERE)

    assert "2001 connections, including pollers, exceed the 2000 descriptors of 2 worker(s)" in (
        said := refusal(2001, [worker(), worker()])
    )
    assert "use --workers 3, or raise the hard limit" in said


def test_the_worker_with_fewest_descriptors_decides_since_all_get_the_same_share():
    workers = [worker("big", descriptors=100_100), worker("small", descriptors=600)]
    check_sockets(1000, workers, HERE)

    assert "exceed the 1000 descriptors of 2 worker(s) with 600 each on small" in (
        said := refusal(1001, workers)
    )
    assert "use --expect-workers 3" in said


def test_a_worker_without_descriptors_to_spare_gets_no_number_of_workers_as_advice():
    said = refusal(1, [worker(descriptors=DESCRIPTORS_BESIDE_CONNECTIONS)])

    assert "each; raise the hard limit" in said


def test_ports_are_those_of_a_host_however_many_workers_share_them():
    roomy = {"descriptors": 1_000_000}
    one_host = [worker("a", **roomy)] * 4
    check_sockets(28_232, one_host, HERE)

    assert (
        "28233 connections, including pollers, exceed the 28232 ports between 1 address(es) of a"
        in (said := refusal(28_233, one_host))
    )
    assert "set at least 2 source_addresses" in said
    assert said.endswith("or add workers on more hosts")
    check_sockets(56_464, [worker("a", **roomy), worker("b", **roomy)] * 2, HERE)


def test_a_host_with_more_of_the_workers_needs_more_of_the_ports():
    roomy = {"descriptors": 1_000_000}
    workers = [worker("a", **roomy)] * 3 + [worker("b", **roomy)]

    assert refusal(40_000, workers).startswith("30000 of 40000 connections")


def test_network_namespaces_of_one_kernel_have_ports_of_their_own():
    roomy = {"descriptors": 1_000_000}
    apart = [worker("a", network="net:[1]", **roomy), worker("a", network="net:[2]", **roomy)]
    together = [worker("a", network="net:[1]", **roomy)] * 2
    check_sockets(50_000, apart, HERE)

    assert "exceed the 28232 ports" in refusal(50_000, together)


@given(
    sockets=st.integers(1, 500_000),
    workers=st.lists(
        st.builds(
            worker,
            host=st.sampled_from(["a", "b", "c"]),
            descriptors=st.integers(101, 100_000),
            addresses=st.lists(st.sampled_from("uvwxyz"), unique=True).map(tuple),
        ),
        min_size=1,
    ),
)
def test_what_is_let_through_fits_everybody(sockets, workers):
    try:
        check_sockets(sockets, workers, HERE)
    except PreflightError:
        return
    for one in workers:
        beside = sum(other.machine == one.machine for other in workers)
        assert sockets / len(workers) <= one.descriptors - DESCRIPTORS_BESIDE_CONNECTIONS
        assert sockets * beside / len(workers) <= one.ports * max(1, len(one.addresses))


def test_each_source_address_needs_a_host_that_has_it():
    workers = [worker("a", addresses=("10.0.0.1",)), worker("b", addresses=("10.0.0.2",))]
    check_sources(["10.0.0.1", "10.0.0.2"], workers, HERE)
    with pytest.raises(
        PreflightError, match=r"10\.0\.0\.3 is not an address of a worker's host \(a, b\)"
    ):
        check_sources(["10.0.0.1", "10.0.0.3"], workers, HERE)


@pytest.mark.parametrize(("host", "said"), [("far", "worker on far: no way"), (HERE, "no way")])
def test_a_workers_trouble_is_passed_on_with_its_host(host, said):
    with pytest.raises(PreflightError, match=f"^{said}$"):
        check_sources([], [worker(), worker(host, trouble="no way")], HERE)


def test_the_record_names_every_host_once_with_its_workers():
    clock = ClockOffset(offset_s=0.5, error_s=0.001)
    hosts = hosts_of([worker("a", clock=clock), worker("b"), worker("a", clock=clock)])

    assert {"a": 2, "b": 1} == {name: host["workers"] for name, host in hosts.items()}
    assert (0.5, 0.001) == (hosts["a"]["clock_offset_s"], hosts["a"]["clock_error_s"])
    assert (None, 28_232) == (hosts["b"]["clock_offset_s"], hosts["b"]["ports"])


def test_a_worker_with_fewer_descriptors_than_it_needs_itself_has_room_for_none():
    assert 0 == most_sockets([worker(descriptors=DESCRIPTORS_BESIDE_CONNECTIONS - 1)])
    assert 1 == most_sockets([worker(descriptors=DESCRIPTORS_BESIDE_CONNECTIONS + 1)])


def test_a_worker_without_addresses_of_its_own_has_the_ports_of_one():
    many = DESCRIPTORS_BESIDE_CONNECTIONS + 1_000_000

    assert 28_232 == most_sockets([worker(descriptors=many)])
    assert 28_232 == most_sockets([worker(descriptors=many, addresses=("127.0.0.2",))])
    assert 56_464 == most_sockets([worker(descriptors=many, addresses=("127.0.0.2", "127.0.0.3"))])


def test_each_poller_and_trader_of_the_busiest_step_is_a_socket():
    profile = ADAPTER.validate_python(
        {
            "profile": 1,
            "name": "p",
            "kind": "ramp",
            "levels": [2],
            "poll_interval_s": 2.0,
            "order_interval_s": 2.0,
        }
    )
    busiest = SimpleNamespace(most_requests_per_s=10.0, most_orders_per_s=0.3)

    assert {"requests_per_s": 20, "orders_per_s": 1} == most_actors(busiest, profile)
