"""A target, a master and two worker hosts in a network of their own: measured, disturbed, refused."""

import json
import os
import re
import runpy
import signal
import time
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest
import yaml

from capacity.cli.plan import plan_run
from capacity.domain.caveats import DoubtKind
from capacity.domain.plan import CapacityPlan
from capacity.domain.resources import Resource
from capacity.recording.run_directory import load

pytestmark = [pytest.mark.end_to_end, pytest.mark.alone, pytest.mark.long]

ROOT = Path(__file__).parents[2]
HOSTS = runpy.run_path(str(Path(__file__).with_name("hosts.py")))
eventually = HOSTS["eventually"]
DESCRIPTOR_LIMIT = 400
ESTABLISHED = "01"
PROFILE = {
    "profile": 1,
    "name": "short",
    "kind": "ramp",
    "levels": [40, 80],
    "connects_per_s": 100,
    "settle_s": 0.3,
    "plateau_s": 1,
    "ramp_timeout_s": 10,
    "poll_interval_s": 0.5,
    "mix": {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0.1},
}


@dataclass
class Site:
    """The hosts, and the file of the target that runs on the first one."""

    network: object
    target: object
    master: object
    workers: list
    exchange: object
    settings: dict
    folder: Path
    program: Path

    def measure(self, run, *, workers, profile=None, **changes):
        target, file = self.folder / f"{run}-target.yaml", self.folder / f"{run}-profile.yaml"
        target.write_text(yaml.safe_dump(self.settings | changes))
        file.write_text(yaml.safe_dump(PROFILE | (profile or {})))
        path = self.folder / run
        process = self.master.run(
            self.program,
            *("-m", "capacity.cli.main", "measure", "--target", target, "--profile", file),
            *("--expect-workers", workers, "--bind", self.master.address, "--run", path),
        )
        return path, process

    def join(self, host, processes=1, program=None):
        return host.run(
            program or self.program,
            *("-m", "locust", "--config", "config/deploy/worker.conf"),
            *("--master-host", self.master.address, "--processes", processes),
        )


@pytest.fixture(name="site", scope="module")
def fixture_site(tmp_path_factory):
    reason = HOSTS["why_not"]()
    if reason is not None:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("site")
    # One that nobody edits meanwhile: workers of another program are refused.
    program = HOSTS["copy_of_the_program"](ROOT, folder / "program")
    with HOSTS["Network"](folder) as network:
        target, master, *workers = map(network.host, ("target", "master", "worker-a", "worker-b"))
        exchange = target.run(
            program,
            *("-m", "capacity.cli.main", "exchange", "--host", target.address),
            *("--descriptor-limit", DESCRIPTOR_LIMIT),
        )
        exchange.wait_for("exchange ready on")
        token = folder / "token"
        token.write_text("a-long-random-word\n")
        token.chmod(0o600)
        agent = target.run(
            program,
            *("-m", "capacity.monitor", "--pid", exchange.process.pid),
            *("--bind", target.address, "--allow-plain-http", "--token-file", token),
        )
        agent.wait_for("agent ready on")
        settings = {
            "target": 1,
            "name": "far",
            "host": target.address,
            "port": 8080,
            "dialect": "deribit",
            "symbols": ["BTC-PERPETUAL", "ETH-PERPETUAL"],
            "channels": ["ticker"],
            "agent": {"url": f"http://{target.address}:9101", "token_file": str(token)},
            "rest": {"operation": "ticker"},
        }
        yield Site(network, target, master, workers, exchange, settings, folder, program)


@pytest.fixture(autouse=True)
def _only_the_target_outlives_a_test(site):
    yield
    site.network.clear(site.master, *site.workers)
    for host in site.workers:
        host.link("up")


def events(run):
    file = run / "events.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line) for line in lines]


def in_step(run, index):
    """Wait until the plateau of this step has begun."""
    here = {"index": index, "phase": "plateau"}
    eventually(
        lambda: any(here.items() <= event["detail"].items() for event in events(run)),
        f"the plateau of step {index}",
    )


def in_next_step(run):
    in_step(run, 1 + max(event["detail"].get("index", 0) for event in events(run)))


def peers(pid, port):
    """Return the addresses that are connected to *port* in the namespace of *pid*."""
    lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    fields = [line.split() for line in lines]
    return {
        str(ip_address(int.from_bytes(bytes.fromhex(remote[:8]), "little")))
        for _, local, remote, state, *_ in fields
        if state == ESTABLISHED and int(local[9:], 16) == port
    }


MOST_ATTEMPTS = 3
BUSY = "the load generator was saturated"
"""What the product rightly says where something else takes the machine's processors: measured again."""


def measured_from_two_hosts(site, name):
    """Measure with three workers on two hosts; return the record, its path, and who was connected."""
    first, second = site.workers
    sources = ["10.77.77.101", second.address]
    run, measuring = site.measure(name, workers=3, source_addresses=sources)
    joined = [site.join(first, processes=2), site.join(second)]
    in_step(run, 2)
    seen = peers(site.exchange.process.pid, 8080)

    assert measuring.process.wait(60) == 0, measuring.said
    assert [worker.process.wait(30) for worker in joined] == [0, 0]
    assert seen == set(sources)
    return load(run), run


def test_a_target_is_measured_from_two_other_hosts_each_with_addresses_of_its_own(site):
    site.workers[0].add_address("10.77.77.101")
    for attempt in range(MOST_ATTEMPTS):
        record, run = measured_from_two_hosts(site, f"whole-{attempt}")
        if not any((step.void or "").startswith(BUSY) for step in record.steps):
            break
    plan = plan_run(run)

    assert [step.void for step in record.steps] == [None] * 3
    assert [round(step.load.connections) for step in record.steps] == [0, 40, 80]
    assert [step.failures for step in record.steps] == [{}] * 3
    hosts = record.manifest.generator["hosts"]
    assert {name: host["workers"] for name, host in hosts.items()} == {"worker-a": 2, "worker-b": 1}
    # Three boot ids, but one clock.
    assert all(abs(host["clock_offset_s"]) <= host["clock_error_s"] for host in hosts.values())
    assert isinstance(plan, CapacityPlan)
    assert plan.generator.is_trustworthy
    assert not {DoubtKind.SHARED_HOST, DoubtKind.CLOCK_OFFSET} & {d.kind for d in plan.doubts}
    assert plan.binding is Resource.DESCRIPTORS
    assert DESCRIPTOR_LIMIT - 40 < plan.capacity.mid < DESCRIPTOR_LIMIT


def test_workers_that_come_and_go_void_the_steps_that_they_disturb_and_no_others(site):
    mix = {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0}
    levels = list(range(20, 110, 3))
    profile = {"levels": levels, "plateau_s": 2, "settle_s": 0.1, "mix": mix}
    run, measuring = site.measure("disturbed", workers=2, profile=profile)
    first, second = site.workers
    workers = [site.join(first), site.join(second)]
    disturbed = []

    def wait_for(kind):
        eventually(lambda: kind in [event["kind"] for event in events(run)[before:]], kind)
        return next(event["at"] for event in events(run)[before:] if event["kind"] == kind)

    in_step(run, 1)
    before = len(events(run))
    cut_at = time.time()
    second.link("down")
    wait_for("worker_lost")
    second.link("up")
    disturbed.append((cut_at, wait_for("worker_joined")))

    in_next_step(run)
    before = len(events(run))
    workers.append(site.join(first))
    joined_at = wait_for("worker_joined")
    disturbed.append((joined_at, joined_at))

    in_next_step(run)
    in_next_step(run)
    killed_at = time.time()
    os.killpg(workers[-1].process.pid, signal.SIGKILL)
    disturbed.append((killed_at, wait_for("worker_lost")))

    in_next_step(run)
    in_next_step(run)
    os.kill(measuring.process.pid, signal.SIGINT)
    code = measuring.process.wait(60)
    steps = [step for step in load(run).steps if step.plateau_ended_at is not None]
    spoiled = [
        step
        for step in steps
        if any(step.started_at < end and step.plateau_ended_at > begin for begin, end in disturbed)
    ]

    assert code == 130
    # A busy machine may void further steps, for what it did to the timers.
    void = {step.index: step.void for step in steps if step.void}
    by_workers = [index for index, why in void.items() if "generator was saturated" not in why]
    assert {step.index for step in spoiled} <= void.keys()
    assert set(by_workers) <= {step.index for step in spoiled}
    assert all("worker" in void[index] for index in by_workers)
    assert {0, steps[-1].index}.isdisjoint(step.index for step in spoiled)
    assert "ProtocolError" not in "".join(worker.said for worker in workers)


@pytest.mark.parametrize("what", ["another program", "no way to the target"])
def test_a_worker_that_would_measure_something_else_is_refused(site, what, tmp_path):
    first, _second = site.workers
    run, measuring = site.measure(f"refused-{what.split()[0]}", workers=1)
    if what == "another program":
        other = HOSTS["copy_of_the_program"](ROOT, tmp_path)
        (other / "capacity" / "more.py").touch()
        site.join(first, program=other)
        said = r"worker worker-a_\w+ runs 0\.1\.0 \(\w+\), this is .*install the same version there"
    else:
        first.ip("route", "add", "unreachable", site.target.address)
        site.join(first)
        said = r"worker on worker-a: no route to 10.77.77.1:8080 \(connect_unreachable\)"
    code = measuring.process.wait(60)

    assert code == 3, measuring.said
    assert re.search(said, measuring.said)
    assert "Traceback" not in measuring.said
    assert not (run / "run.json").exists()
