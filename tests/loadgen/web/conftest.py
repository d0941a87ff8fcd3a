"""Locust's web UI as an operator starts it: a process of its own, in a folder with settings."""

import runpy
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from capacity.recording.run_directory import load

TARGET = """\
target: 1
name: {name}
host: {exchange.host}
port: {exchange.port}
dialect: deribit
symbols: [BTC-PERPETUAL, ETH-PERPETUAL]
channels: [ticker]
agent:
  url: http://{agent.host}:{agent.port}
rest:
  operation: ticker
"""
RAMP = """\
profile: 1
name: {name}
kind: ramp
levels: {levels}
connects_per_s: 200
settle_s: 0.1
plateau_s: {plateau_s}
mix:
  subscriptions_per_connection: 2
  requests_per_s_per_connection: 0.2
"""
HURRIED = "slo: {delivery_delay: {quantile: 0.5, limit_s: 0.0001}}\n"
"""An objective that no target keeps: a run with guards is ended by it."""
BREAK = """\
profile: 1
name: shatter
kind: break
start: 5
limit: 10
"""
PATIENCE_S = 60.0
BROWSER = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "browser.py"))


@dataclass(frozen=True, slots=True, kw_only=True)
class WebUi:
    """A running Locust with our plugin."""

    folder: Path
    url: str
    log: Path

    def get(self, path, **headers):
        return requests.get(self.url + path, headers=headers, timeout=30, allow_redirects=False)

    def post(self, path, form=None, **headers):
        return requests.post(
            self.url + path, data=form or {}, headers=headers, timeout=60, allow_redirects=False
        )

    def data(self):
        return self.get("/capacity/data").json()

    def wait(self, condition, patience_s=PATIENCE_S):
        """Return the first data of the page that *condition* holds for."""
        deadline_s = time.monotonic() + patience_s
        while not condition(data := self.data()):
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"not in time: {data}\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)
        return data

    def newest_run(self):
        return load(max((self.folder / "reports" / "runs").iterdir()))


@pytest.fixture
def target_text(exchange, agent):
    """Return the text of a target file of that name."""
    return lambda name: TARGET.format(name=name, exchange=exchange, agent=agent)


def settings_folder(folder, exchange, agent):
    """Write targets and profiles for tests into *folder*."""
    targets, profiles = folder / "config" / "targets", folder / "config" / "profiles"
    targets.mkdir(parents=True)
    profiles.mkdir()
    (targets / "here.yaml").write_text(TARGET.format(name="here", exchange=exchange, agent=agent))
    closed = TARGET.format(name="closed", exchange=exchange, agent=agent)
    (targets / "closed.yaml").write_text(closed.replace(f"port: {exchange.port}", "port: 1"))
    (targets / "invalid.yaml").write_text("target: 1\npassword-of-a-friend: hunter2\nport: xyzzy\n")
    (profiles / "short.yaml").write_text(RAMP.format(name="short", levels="[5, 15]", plateau_s=1))
    (profiles / "long.yaml").write_text(RAMP.format(name="long", levels="[5, 10]", plateau_s=8))
    (profiles / "pairs.yaml").write_text(RAMP.format(name="pairs", levels="[5, 10]", plateau_s=3))
    hurried = TARGET.format(name="hurried", exchange=exchange, agent=agent)
    (targets / "hurried.yaml").write_text(hurried + HURRIED)
    careful = RAMP.format(name="careful", levels="[5, 15]", plateau_s=3)
    (profiles / "careful.yaml").write_text(careful + "guards: {}\n")
    (profiles / "shatter.yaml").write_text(BREAK)
    return folder


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def locust_running(root, folder, *options):
    """Run Locust with one worker and its web UI in *folder*."""
    port, master_port, log = free_port(), free_port(), folder / "locust.log"
    command = [sys.executable, "-m", "locust", "-f", str(root / "locustfiles")]
    command += ["--web-host", "127.0.0.1", "--web-port", str(port), "--stop-timeout", "2"]
    command += ["--master-bind-port", str(master_port), "--master-bind-host", "127.0.0.1"]
    command += ["--master-port", str(master_port), "--processes", "1"]
    command += ["--capacity-target", "here", "--capacity-profile", "short", *options]
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
    base = options[options.index("--web-base-path") + 1] if "--web-base-path" in options else ""
    ui = WebUi(folder=folder, url=f"http://127.0.0.1:{port}{base}", log=log)
    try:
        _await_worker(ui, process)
        yield ui
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        finally:
            process.kill()


def _await_worker(ui, process):
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None, ui.log.read_text()
        try:
            answer = ui.get("/worker-count")
            if answer.status_code == 302 or answer.json()["worker_count"] == 1:
                return
        except (requests.ConnectionError, requests.exceptions.JSONDecodeError):
            pass
        time.sleep(0.1)
    raise AssertionError(ui.log.read_text())


@pytest.fixture(scope="module")
def web_ui(root, exchange, agent, tmp_path_factory):
    """One Locust for the tests of a module, each of which leaves it without a run."""
    folder = settings_folder(tmp_path_factory.mktemp("web"), exchange, agent)
    with locust_running(root, folder) as ui:
        yield ui


@pytest.fixture
def settings_here(exchange, agent, tmp_path):
    """Return a folder with settings of its own."""
    return settings_folder(tmp_path / "here", exchange, agent)


@pytest.fixture
def start_locust(root, exchange, agent, tmp_path):
    """Start a Locust of the test's own, with options."""
    with ExitStack() as stack:
        folder = settings_folder(tmp_path / "own", exchange, agent)
        yield lambda *options: stack.enter_context(locust_running(root, folder, *options))


@pytest.fixture(scope="module")
def browser():
    """A page of Chromium; without it the tests that look are skipped."""
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        pytest.skip("Chromium is not installed")
    with BROWSER["open_page"]() as page:
        yield page
