"""One sentence for every fault, with a real exchange, a real agent and real limits."""

import json
import resource
import runpy
import socket
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gevent
import pytest
import requests
import yaml

from capacity.domain.errors import ConfigError, PreflightError, UnreachableError
from capacity.domain.run import ClockOffset
from capacity.loadgen.checks.preflight import check, generator_facts, latest_reading
from capacity.loadgen.checks.worker_identity import identity_here
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.profile import ADAPTER
from capacity.sources.agent import AgentClient

AGENT = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))
sample_of = AGENT["sample_of"]
SAME_CLOCK = ClockOffset(offset_s=0.0, error_s=0.0)


@pytest.fixture(scope="module")
def profile():
    def settings(kind="ramp", **changes):
        if kind == "ramp":
            changes.setdefault("levels", [2, 4])
        return ADAPTER.validate_python({"profile": 1, "name": "tiny", "kind": kind, **changes})

    return settings


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.mark.parametrize(("rarely_at", "is_known"), [(1, False), (2, True)])
def test_what_one_of_the_last_ten_samples_read_is_the_latest_reading(rarely_at, is_known):
    """A census comes only every few samples."""
    samples = [
        sample_of(seq, used={"memory": float(seq)} | ({"threads": 7.0} if seq == rarely_at else {}))
        for seq in range(1, 12)
    ]
    latest = latest_reading(SimpleNamespace(samples=lambda _since: samples))

    assert (11, 11.0) == (latest.seq, latest.used["memory"])
    assert is_known is ("threads" in latest.used)


def test_a_sound_target_is_audited_and_its_load_stays_at_a_quarter(
    exchange, agent, target_file, profile
):
    preflight = check(target_file(exchange, agent.url), profile("safe", levels=2), workers=1)
    limits = {limit.resource.value: limit.value for limit in preflight.info.limits}
    highest = max(step.connections for step in preflight.steps)

    assert preflight.audited_bound <= limits[preflight.audited_by]
    assert 0 < highest <= preflight.audited_bound / 4
    assert preflight.same_host
    assert abs(preflight.clock_offset.offset_s) < 0.1


def test_a_declared_limit_bounds_the_load_without_an_agent(exchange, target_file, profile):
    target = target_file(
        exchange, limits={"application_connections": {"value": 40, "source": "its manual"}}
    )
    preflight = check(target, profile("safe", levels=2), workers=1)

    assert (40, "application_connections") == (preflight.audited_bound, preflight.audited_by)
    assert 10 >= max(step.connections for step in preflight.steps) > 0
    assert (None, None, False) == (preflight.info, preflight.clock_offset, preflight.same_host)


def test_connections_of_the_profile_stand_in_where_nothing_can_be_audited(
    exchange, target_file, profile
):
    preflight = check(
        target_file(exchange),
        profile("safe", levels=2, connections=100, mix={"requests_per_s_per_connection": 0}),
        workers=1,
    )

    assert preflight.audited_bound is None
    assert (20, 25) == (preflight.steps[-1].connections, preflight.rules.most)


def test_a_search_may_ask_for_any_count_between_its_start_and_its_limit(
    exchange, target_file, profile
):
    preflight = check(target_file(exchange), profile("break", start=2, limit=9), workers=1)

    assert [2, 9] == [step.connections for step in preflight.steps]


def test_nothing_to_audit_is_refused(exchange, target_file, profile):
    with pytest.raises(PreflightError, match="no limit of the target is known"):
        check(target_file(exchange), profile("safe"), workers=1)


def test_a_target_that_is_down_is_named(exchange, target_file, profile, closed_port):
    with pytest.raises(UnreachableError, match=rf":{closed_port}/.*no WebSocket there"):
        check(target_file(exchange, port=closed_port), profile(), workers=1)


def test_a_target_of_another_dialect_is_found_out(exchange, target_file, profile):
    target = target_file(exchange, dialect="url-subscribe", channels=["updates"], rest=None)
    with pytest.raises(
        UnreachableError, match=r"handshake_rejected_404.*correct the path in ws.url"
    ):
        check(target, profile(), workers=1)


def test_a_rest_path_that_is_not_there_is_found_out(exchange, target_file, profile, tmp_path):
    dialect = yaml.safe_load(find("dialects", "deribit").read_text())
    dialect["rest"]["ticker"]["path"] = "/public/no_such_method"
    file = tmp_path / "other.yaml"
    file.write_text(yaml.safe_dump(dialect))
    with pytest.raises(UnreachableError, match=r"no_such_method\S*: the REST request returned 4"):
        check(target_file(exchange, dialect=str(file)), profile(), workers=1)


def test_an_agent_that_is_down_is_named(exchange, target_file, profile, closed_port):
    target = target_file(exchange, f"http://127.0.0.1:{closed_port}")
    with pytest.raises(UnreachableError, match=f"the agent at .*:{closed_port} does not answer"):
        check(target, profile(), workers=1)


@pytest.mark.parametrize(("by_s", "said"), [(7, "7.0 s ahead of"), (-7, "7.0 s behind")])
def test_a_clock_that_is_off_is_refused_with_its_direction(
    exchange, agent, target_file, profile, serve, by_s, said
):
    def of_another_time(_environ, start_response):
        info = requests.get(f"{agent.url}/v1/info", timeout=5).json()
        start_response("200 OK", [])
        return [json.dumps({**info, "now": info["now"] + by_s}).encode()]

    with pytest.raises(PreflightError, match=f"the clock of .* is {said} this machine's.*chrony"):
        check(target_file(exchange, serve(of_another_time)), profile(), workers=1)


def test_an_agent_that_lost_its_target_is_found_out(
    start_exchange, start_agent, target_file, profile
):
    exchange = start_exchange()
    agent = start_agent("--pid", exchange.pid)
    target = target_file(exchange, agent.url)
    check(target, profile(), workers=1)
    exchange.process.kill()
    exchange.process.wait()
    client = AgentClient(agent.url)
    with gevent.Timeout(10):
        while client.samples(0)[-1].target_started_at is not None:
            gevent.sleep(0.05)
    with pytest.raises(UnreachableError, match="has lost its target; start the target, or restart"):
        check(target, profile(), workers=1)


def test_more_connections_than_descriptors_need_more_workers(exchange, target_file, profile):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if not 0 < hard < 10_000_000:
        pytest.skip("no profile asks for more connections than the limit admits here")
    profile = profile(levels=[hard * 2])
    with pytest.raises(
        PreflightError, match=f"exceed the {hard - 100} descriptors .*use --workers 3, or"
    ):
        check(target_file(exchange), profile, workers=1)


def test_pollers_need_descriptors_too(exchange, target_file, profile):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if not 0 < hard < 10_000_000:
        pytest.skip("no profile asks for more connections than the limit admits here")
    profile = profile(
        levels=[hard * 3 // 4], poll_interval_s=1, mix={"requests_per_s_per_connection": 1}
    )
    with pytest.raises(PreflightError, match=f"exceed the {hard - 100} descriptors"):
        check(target_file(exchange), profile, workers=1)


def test_more_connections_than_ports_are_refused(exchange, target_file, profile):
    with pytest.raises(PreflightError, match=r"70700 connections.*ports.*ip_local_port_range"):
        check(target_file(exchange), profile(levels=[70_000]), workers=1000)


def test_every_source_address_brings_its_ports(exchange, target_file, profile):
    target = target_file(exchange, source_addresses=["127.0.0.2", "127.0.0.3", "127.0.0.4"])
    check(target, profile(levels=[70_000]), workers=1000)
    with pytest.raises(PreflightError, match=r"4 address.*set at least \d+ source_addresses"):
        check(
            target_file(exchange, source_addresses=["127.0.2.4/30", "127.0.0.2", "127.0.0.3"]),
            profile(levels=[1_000_000]),
            workers=1000,
        )


def test_a_source_address_of_another_machine_is_refused(exchange, target_file, profile):
    target = target_file(exchange, source_addresses=["127.0.0.2", "192.0.2.1"])
    with pytest.raises(
        PreflightError, match=r"source_addresses.*192\.0\.2\.1 is not an address of this machine"
    ):
        check(target, profile(), workers=1)


def test_a_source_address_that_cannot_reach_the_target_is_refused(exchange, target_file, profile):
    target = target_file(exchange, source_addresses=["::1"])
    with pytest.raises(PreflightError, match=rf"from ::1 no route to .*:{exchange.port}"):
        check(target, profile(), workers=1)


@pytest.fixture
def far_worker(exchange, target_file):
    """What a worker on another host says, with changes."""
    target = target_file(exchange)
    here = identity_here(target, load_dialect(find("dialects", target.dialect)))
    return lambda **changes: replace(here, **{"host": "far", "boot_id": "its own", **changes})


def test_the_limits_of_far_workers_count_not_those_of_this_machine(
    exchange, target_file, profile, far_worker
):
    load = profile(levels=[2_000_000])
    roomy = far_worker(descriptors=1_100_000, ports=1_100_000)
    preflight = check(
        target_file(exchange), load, workers=[roomy, replace(roomy, boot_id="another")]
    )

    assert {"far": 2} == {name: host["workers"] for name, host in preflight.hosts.items()}
    with pytest.raises(PreflightError, match=r"2 worker\(s\) with 500 each on far.*expect-workers"):
        check(target_file(exchange), load, workers=[roomy, far_worker(descriptors=500)])
    with pytest.raises(PreflightError, match=r"^worker on far: no way$"):
        check(target_file(exchange), profile(), workers=[roomy, far_worker(trouble="no way")])


def test_workers_that_have_not_come_yet_are_not_judged(exchange, target_file, profile):
    target = target_file(exchange, source_addresses=["192.0.2.1"])

    assert {} == check(target, profile(levels=[9_000_000]), workers=()).hosts


@pytest.mark.parametrize("beside", ["recorder", "worker", "nobody"])
def test_a_host_is_shared_when_recorder_or_worker_is_beside_the_target(
    exchange, agent, target_file, profile, far_worker, serve, beside
):
    def elsewhere(_environ, start_response):
        answer = requests.get(
            f"{agent.url}{_environ['PATH_INFO']}?{_environ['QUERY_STRING']}", timeout=5
        )
        start_response("200 OK", [])
        if not _environ["PATH_INFO"].endswith("info"):
            return [answer.content]
        return [json.dumps({**answer.json(), "boot_id": "the target's"}).encode()]

    url = agent.url if beside == "recorder" else serve(elsewhere)
    worker = far_worker(boot_id="the target's" if beside == "worker" else "its own")
    preflight = check(target_file(exchange, url), profile(), workers=[worker])

    assert (beside != "nobody") == preflight.same_host
    assert (beside == "recorder") == (preflight.clock_offset == SAME_CLOCK)


def test_the_generators_facts_are_those_of_this_machine():
    facts = generator_facts(3)

    assert (3, socket.gethostname()) == (facts["workers"], facts["host"])
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] == facts["descriptor_limit"]


def test_a_run_is_not_begun_whose_clients_cannot_log_in_or_lack_a_row(okx_target, profile):
    found = check(okx_target(), profile(levels=[10]), workers=1)

    assert "okx-private" == found.private_dialect.name
    with pytest.raises(ConfigError, match=r"private\.values\.api_key has 5 rows .* for 6 conn"):
        check(okx_target(), profile(levels=[11]), workers=1)
    with pytest.raises(UnreachableError, match="private connection: "):
        check(okx_target(secret="key"), profile(levels=[10]), workers=1)
