"""A plan without our agent: exporters, and Prometheus, must tell of descriptors what the agent tells."""

import contextlib
import json
import re
import runpy
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from capacity.cli.plan import PLAN_FILE, plan_run
from capacity.domain.resources import Resource
from capacity.recording.run_directory import load
from capacity.settings.agent import Prometheus
from capacity.sources.alignment import offset_between
from capacity.sources.attaching import attach
from capacity.sources.metrics.prometheus import PrometheusReader
from capacity.sources.spool import read_spool

pytestmark = pytest.mark.end_to_end

PROFILE = """\
profile: 1
name: to-200
kind: ramp
levels: [70, 130, 200]
connects_per_s: 200
settle_s: 1
plateau_s: 3
mix: {subscriptions_per_connection: 1, requests_per_s_per_connection: 0.02}
"""
DESCRIPTOR_LIMIT = 900
ATTEMPTS = 3
AT_ONCE = 2
"""Runs that go at the same time: two hundred connections are little load."""
HERE = runpy.run_path(str(Path(__file__).parents[1] / "sources" / "metrics" / "exporters_here.py"))
called = runpy.run_path(str(Path(__file__).parents[1] / "running_programs.py"))["called"]
READY = re.compile(r"ready on http://([\d.]+):(\d+)")


@contextlib.contextmanager
def running(*arguments):
    command = [sys.executable, "-m", *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            ready = next(found for line in process.stderr if (found := READY.search(line)))
            yield process, int(ready[2])
        finally:
            process.terminate()
            process.stderr.read()


def measured(folder, named):
    """Measure an exchange of its own, with the agent section that *named* makes.

    Returns its run directory, its record and its plan.

    A machine that is busy voids steps, and holds up who is asked for samples; such a run is made again.
    """
    for number in range(ATTEMPTS):
        run = attempt(folder / f"attempt-{number}", named)
        record, plan = planned(run)
        lost = lost_samples(plan)
        if not any(step.void for step in record.steps) and not lost:
            return run, record, plan
    pytest.fail(f"each of {ATTEMPTS} runs was disturbed: {record.steps}, {lost}")


def attempt(folder, named):
    folder.mkdir(parents=True)
    target, profile, run = folder / "target.yaml", folder / "profile.yaml", folder / "run"
    profile.write_text(PROFILE)
    arguments = ("--port", "0", "--descriptor-limit", DESCRIPTOR_LIMIT)
    with (
        running("capacity.cli.main", "exchange", *arguments) as (process, port),
        contextlib.ExitStack() as stack,
    ):
        settings = {
            "target": 1,
            "name": named.__name__,
            "host": "127.0.0.1",
            "port": port,
            "dialect": "deribit",
            "symbols": ["BTC-PERPETUAL", "ETH-PERPETUAL"],
            "channels": ["ticker"],
            "rest": {"operation": "ticker"},
            "agent": named(stack, folder, process.pid, port),
        }
        target.write_text(yaml.safe_dump(settings))
        called(folder, "measure", "--target", target, "--profile", profile, "--run", run)
    return run


def planned(run):
    plan_run(run)
    return load(run), json.loads((run / PLAN_FILE).read_text()).get("plan")


def by_agent(stack, _folder, pid, _port):
    watching = running("capacity.monitor", "--listen", "0", "--pid", pid)
    return {"url": f"http://127.0.0.1:{stack.enter_context(watching)[1]}"}


def exporters(stack, folder):
    return [
        stack.enter_context(HERE["node_exporter"]()),
        stack.enter_context(HERE["process_exporter"](folder)),
    ]


def by_exporters(stack, folder, pid, _port):
    urls = exporters(stack, folder)
    return {"exporters": {"urls": urls, "process": {"groupname": str(pid)}}}


def by_prometheus(stack, folder, pid, _port):
    url = stack.enter_context(HERE["prometheus"](folder, exporters(stack, folder)))
    labels = {"groupname": str(pid)}
    return {"prometheus": {"url": url, "process": labels, "interval_s": 1}}


def by_sampler(_stack, _folder, _pid, port):
    return {"local": {"port": port}}


def by_pushing(stack, folder, pid, _port):
    token = folder / "token"
    token.write_text("a-long-enough-token-of-32-letters")
    token.chmod(0o600)
    address = f"127.0.0.1:{HERE['free_port']()}"
    push = ("--push", f"http://{address}", "--listen", "0", "--pid", pid, "--token-file", token)
    stack.enter_context(running("capacity.monitor", *push))
    return {"listen": address, "token_file": str(token)}


def by_spooling(stack, folder, pid, _port):
    """Have the agent write what the run does not ask for; it is attached afterwards."""
    spool = folder / "spool"
    spool.mkdir()
    spooling = ("--spool", spool, "--listen", "0", "--pid", pid)
    stack.enter_context(running("capacity.monitor", *spooling))


def lost_samples(plan):
    """Return what the plan says of samples that did not come.

    What an agent reads seldom, because it is dear, may be due at no moment of a short plateau.
    """
    return [
        doubt["statement"]
        for doubt in (plan or {}).get("doubts", ())
        if doubt["kind"] == "samples_missing" and "is not included" not in doubt["statement"]
    ]


def descriptors_of(plan):
    [wall] = [wall for wall in plan["ladder"] if wall["resource"] == "descriptors"]
    return wall


@pytest.mark.long
@pytest.mark.xdist_group("sources")
def test_exporters_and_prometheus_tell_of_descriptors_what_the_agent_tells(tmp_path):
    HERE["skip_unless_installed"](*HERE["PACKAGES"])
    origins = (by_prometheus, by_exporters, by_pushing, by_spooling, by_agent, by_sampler)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = pool.map(lambda origin: measured(tmp_path / origin.__name__, origin), origins)
        going = dict(zip((origin.__name__ for origin in origins), runs, strict=True))
    found = {name: (record, plan) for name, (_run, record, plan) in going.items()}
    run, alone, _plan = going["by_spooling"]
    spool = read_spool([run.with_name("spool")])
    attached = attach(run, spool, None)
    found["by_spooling"] = planned(attached.path)
    estimated = offset_between(alone.points, spool.samples)
    print(f"clock by the curves: {estimated}")

    assert abs(estimated.offset_s) <= estimated.error_s < 3  # One host, one clock.
    truth = descriptors_of(found["by_agent"][1])
    for name, (record, plan) in found.items():
        wall = descriptors_of(plan)
        print(
            f"{name}: {wall['cost']['per_connection']['mid']} a connection, ceiling"
            f" {wall['ceiling']['mid']:.0f}, limit {wall['limit']['value']},"
            f" {len(record.samples)} samples, {[doubt['kind'] for doubt in plan['doubts']]}"
        )

    assert truth["limit"]["value"] == DESCRIPTOR_LIMIT
    for record, plan in found.values():
        wall = descriptors_of(plan)

        assert plan["binding"] == "descriptors"
        assert plan["highest_connections"] >= 200
        assert record.manifest.same_host
        assert wall["limit"]["value"] == DESCRIPTOR_LIMIT
        assert wall["ceiling"]["mid"] == pytest.approx(truth["ceiling"]["mid"], rel=0.01)
        per_connection = wall["cost"]["per_connection"]["mid"]
        assert per_connection == pytest.approx(truth["cost"]["per_connection"]["mid"], rel=0.01)
        assert [] == lost_samples(plan)


def test_a_real_prometheus_tells_who_the_target_is_and_what_it_used_when(tmp_path):
    HERE["skip_unless_installed"](*HERE["PACKAGES"])
    with contextlib.ExitStack() as stack:
        exchange, _ = stack.enter_context(running("capacity.cli.main", "exchange", "--port", "0"))
        pages = [
            stack.enter_context(HERE["node_exporter"]()),
            stack.enter_context(HERE["process_exporter"](tmp_path)),
        ]
        url = stack.enter_context(HERE["prometheus"](tmp_path, pages))
        labels = {"groupname": str(exchange.pid)}
        source = PrometheusReader(Prometheus(url=url, process=labels, interval_s=1))
        info, offset, samples = source.info(), source.clock_offset(), source.samples(0)
        opened = len(list(Path(f"/proc/{exchange.pid}/fd").iterdir()))
        time.sleep(2.5)
        later = source.samples(samples[-1].seq)
        read_at = time.time()
        source.close()

    assert info.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert abs(offset.offset_s) <= offset.error_s < 0.5  # One host, one clock.
    assert opened == later[-1].used[Resource.DESCRIPTORS]
    assert Resource.CPU in later[0].used, "the rate of the first sample has those before it"
    assert samples[-1].seq + 1 == later[0].seq
    assert samples[-1].at < later[-1].at <= read_at
