from dataclasses import replace

import pytest

from capacity.domain.target import TargetSpec
from capacity.planning.comparison.comparable import circumstances, difference, source_of


@pytest.fixture
def manifest(planted_record):
    return planted_record(1).manifest


def with_target(manifest, **keys):
    return replace(
        manifest, run="other", target=TargetSpec.from_document({**manifest.target.document, **keys})
    )


def with_profile(manifest, **keys):
    return replace(manifest, run="other", profile={**manifest.profile, **keys})


def test_the_same_experiment_twice_may_be_compared(manifest):
    assert difference(manifest, replace(manifest, run="other", started_at=9.0)) is None


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"name": "venue"}, "the target's name: planted in run-1, venue in other"),
        ({"dialect": "json-push"}, "the target's dialect: deribit in run-1, json-push in other"),
        ({"symbols": ["ETH"]}, "the target's symbols"),
        ({"channels": ["book"]}, "the target's channels"),
        ({"tls": True}, "TLS: false in run-1, true in other"),
        ({"rest": {"operation": "book"}}, "the target's REST endpoint"),
        (
            {"agent": {"prometheus": {"url": "http://127.0.0.1:9090"}}},
            "the source of the samples: agent in run-1, prometheus in other",
        ),
    ],
)
def test_another_target_is_named_by_what_differs(manifest, keys, said):
    assert difference(manifest, with_target(manifest, **keys)).startswith(said)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"kind": "ramp"}, "the kind of profile: safe in run-1, ramp in other"),
        ({"mix": {"subscriptions_per_connection": 3}}, "the mix: "),
    ],
)
def test_another_load_is_named_by_what_differs(manifest, keys, said):
    assert difference(manifest, with_profile(manifest, **keys)).startswith(said)


@pytest.mark.parametrize(
    "keys", [{"port": 9}, {"host": "10.0.0.9"}, {"dialect": "/elsewhere/deribit.yaml"}]
)
def test_where_the_target_runs_is_no_difference(manifest, keys):
    assert difference(manifest, with_target(manifest, **keys)) is None


def test_another_profile_of_its_kind_is_a_circumstance(manifest):
    other = with_profile(manifest, name="thorough")

    assert difference(manifest, other) is None
    assert circumstances([manifest, other]) == ("profiles differ: safe and thorough",)


def test_other_hosts_and_versions_are_circumstances(manifest):
    other = replace(manifest, product_version="9", agent=replace(manifest.agent, host="b", cores=4))

    assert circumstances([manifest, other]) == (
        "versions of this program differ: 0 and 9",
        "hosts of the target differ: b and planted",
        "cores of the target's host differ: 4 and 8",
    )
    assert circumstances([manifest, manifest]) == ()


def test_another_kernel_and_more_processes_are_circumstances_and_without_an_agent_unknown(manifest):
    agent = replace(manifest.agent, kernel="6.9", target_pids=(1, 2, 3))
    before, pids = manifest.agent.kernel, len(manifest.agent.target_pids)

    assert circumstances([manifest, replace(manifest, agent=agent)]) == (
        f"kernels of the target's host differ: {before} and 6.9",
        f"numbers of the target's processes differ: {pids} and 3",
    )
    assert circumstances([replace(manifest, agent=None)] * 2) == ()


@pytest.mark.parametrize("way", ["url", "listen", "local"])
def test_however_our_agent_is_reached_it_reads_the_same(manifest, way):
    assert source_of(with_target(manifest, agent={way: "there", "token_file": "t"})) == "agent"


def test_a_slow_readers_rate_matters_only_where_some_read_slowly(manifest):
    one, other = (
        with_profile(manifest, mix={"slow_readers_ratio": 0.0, "slow_read_bytes_per_s": rate})
        for rate in (1000.0, 2000.0)
    )
    slow, slower = (
        with_profile(manifest, mix={"slow_readers_ratio": 0.1, "slow_read_bytes_per_s": rate})
        for rate in (1000.0, 2000.0)
    )

    assert difference(one, other) is None
    assert difference(slow, slower) is not None


def test_a_long_name_is_shown_by_its_first_letters(manifest):
    said = difference(manifest, with_target(manifest, name="n" * 300))

    assert said == f"the target's name: planted in run-1, {'n' * 119}… in other"


def test_private_connections_are_part_of_what_was_asked_for(manifest):
    given = {"dialect": "/a/okx-private.yaml", "connections_per_client": 2, "values": {"k": "x"}}
    before = with_target(manifest, private=given)
    elsewhere = {**given, "dialect": "okx-private", "values": {"k": {"env": "K"}}}

    assert difference(before, with_target(manifest, private=elsewhere)) is None
    assert difference(manifest, before).startswith("the target's private connections: null in")
