"""nginx with nchan, a server nobody here wrote: its limits, found by filling it."""

import contextlib
import json
import runpy
import socket
import time
from pathlib import Path

import pytest
import websocket

from capacity.cli.running.children import Child
from capacity.loadgen.master.steps.limit_search import trials_of
from capacity.recording.run_directory import load
from capacity.workload.profiles.search import bracket_of

call = runpy.run_path(str(Path(__file__).parents[1] / "running_programs.py"))["called"]

pytestmark = pytest.mark.end_to_end

UPGRADE = (
    b"GET /sub/prices HTTP/1.1\r\nHost: target\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
OWN_CONNECTIONS = 2
"""The worker's channel to the master and nchan's pipe; each listening socket comes on top."""
OWN_DESCRIPTORS = 9
"""Standard streams and log 4, channel 1, nchan's pipe 2, epoll 1, eventfd 1; likewise."""


def fill(port, stack, *, timeout_s=0.7):
    """Open subscribers one by one until two in a row are refused; return how many are open."""
    fitted = refused = 0
    while refused < 2:
        subscriber = stack.enter_context(socket.socket())
        subscriber.settimeout(timeout_s)
        subscriber.connect(("127.0.0.1", port))
        try:
            subscriber.sendall(UPGRADE)
            answer = subscriber.recv(4096)
        except (TimeoutError, ConnectionError):
            answer = b""
        if answer.startswith(b"HTTP/1.1 101"):
            fitted, refused = fitted + 1, 0
        else:
            subscriber.close()
            refused += 1
    return fitted


def test_a_subscriber_receives_messages_in_sequence(start_nginx, start_publisher):
    before_ms = time.time_ns() // 1_000_000
    nginx = start_nginx()
    start_publisher(nginx, interval_s=0.05)
    with contextlib.closing(
        websocket.create_connection(f"ws://127.0.0.1:{nginx.port}/sub/prices", timeout=5)
    ) as subscriber:
        messages = [json.loads(subscriber.recv()) for _ in range(10)]

    first = messages[0]["seq"]
    assert [message["seq"] for message in messages] == list(range(first, first + 10))
    now_ms = time.time() * 1000
    assert before_ms <= messages[0]["ts"] <= messages[-1]["ts"] <= now_ms


def test_a_late_subscriber_is_not_sent_old_messages(start_nginx, start_publisher):
    nginx = start_nginx()
    publisher = start_publisher(nginx, interval_s=0.05)
    while publisher.published < 5:
        time.sleep(0.02)
    with contextlib.closing(
        websocket.create_connection(f"ws://127.0.0.1:{nginx.port}/sub/prices", timeout=5)
    ) as subscriber:
        first = json.loads(subscriber.recv())

    assert first["seq"] > 5


@pytest.mark.parametrize(("worker_connections", "listeners"), [(256, 1), (1024, 1), (1024, 3)])
def test_worker_connections_bind_after_the_workers_own(start_nginx, worker_connections, listeners):
    nginx = start_nginx(worker_connections=worker_connections, listeners=listeners)
    with contextlib.ExitStack() as stack:
        fitted = fill(nginx.port, stack)

        assert fitted == worker_connections - OWN_CONNECTIONS - listeners
        assert f"{worker_connections} worker_connections are not enough" in nginx.error_log()


@pytest.mark.parametrize(("descriptor_limit", "listeners"), [(200, 1), (600, 1), (600, 3)])
def test_descriptors_bind_after_those_open_without_load(start_nginx, descriptor_limit, listeners):
    nginx = start_nginx(descriptor_limit=descriptor_limit, listeners=listeners)
    at_rest = nginx.worker_descriptors()
    with contextlib.ExitStack() as stack:
        fitted = fill(nginx.port, stack)

        assert at_rest == OWN_DESCRIPTORS + listeners
        assert fitted == descriptor_limit - at_rest
        assert nginx.worker_descriptors() == descriptor_limit
        assert "Too many open files" in nginx.error_log()


def test_a_publisher_takes_a_descriptor(start_nginx, start_publisher):
    nginx = start_nginx(descriptor_limit=200)
    publisher = start_publisher(nginx)
    while not publisher.published:
        time.sleep(0.02)
    with contextlib.ExitStack() as stack:
        fitted = fill(nginx.port, stack)

        assert fitted == 200 - OWN_DESCRIPTORS - 1 - 1


def test_a_full_worker_shuts_the_publisher_out(start_nginx, start_publisher):
    nginx = start_nginx(worker_connections=256)
    publisher = start_publisher(nginx, interval_s=0.1)
    while not publisher.published:
        time.sleep(0.02)
    with contextlib.ExitStack() as stack:
        fitted = fill(nginx.port, stack)
        before = publisher.published
        time.sleep(0.5)

        assert fitted == 256 - OWN_CONNECTIONS - 1
        assert publisher.published == before
        assert publisher.failed > 0


def test_its_own_counters_agree_with_what_is_open(start_nginx):
    nginx = start_nginx()
    with contextlib.ExitStack() as stack:
        for _ in range(25):
            stack.enter_context(
                contextlib.closing(
                    websocket.create_connection(
                        f"ws://127.0.0.1:{nginx.port}/sub/prices", timeout=5
                    )
                )
            )

        assert nginx.active_connections() == 25
        assert nginx.subscribers() == 25


PROFILE = """\
profile: 1
name: short
kind: {kind}
connects_per_s: 200
settle_s: 1
plateau_s: 4
ramp_timeout_s: {ramp_timeout_s}
mix: {{subscriptions_per_connection: 1, requests_per_s_per_connection: 0}}
{rest}
"""


def write_profile(tmp_path, kind, rest, ramp_timeout_s=5):
    path = tmp_path / f"{kind}.yaml"
    path.write_text(PROFILE.format(kind=kind, rest=rest, ramp_timeout_s=ramp_timeout_s))
    return path


@pytest.fixture
def agent(tmp_path):
    """Start an agent beside a process; return its URL."""
    children = []

    def start(pid):
        child = Child(
            "agent",
            ["-m", "capacity.monitor", "--pid", str(pid), "--listen", "0"],
            tmp_path / "agent.log",
        )
        children.append(child)
        return child.wait_ready("agent ready on ")

    yield start
    for child in children:
        child.stop()


@pytest.mark.long
@pytest.mark.xdist_group("load")
def test_the_planted_limit_is_named_and_predicted_within_one_percent(
    tmp_path, start_nginx, start_publisher, agent
):
    nginx = start_nginx(worker_connections=1024)
    start_publisher(nginx)
    target = tmp_path / "target.yaml"
    target.write_text(
        f"""\
target: 1
name: nginx-nchan
host: 127.0.0.1
port: {nginx.port}
dialect: url-subscribe
symbols: [prices]
channels: [updates]
agent: {{url: {agent(nginx.master_pid)}}}
limits:
  application_connections: {{value: 1024, source: worker_connections in nginx.conf}}
"""
    )
    safe = write_profile(tmp_path, "safe", "levels: 3")
    run = tmp_path / "safe-run"
    call(tmp_path, "measure", "--target", target, "--profile", safe, "--run", run)
    plan = json.loads(call(tmp_path, "plan", run, "--json"))["plan"]
    predicted = plan["capacity"]["mid"]
    breaking = write_profile(
        tmp_path,
        "break",
        f"start: {predicted * 0.98:.0f}\ngrowth: 1.03\nlimit: {predicted * 1.2:.0f}",
        ramp_timeout_s=15,  # A step that only a busy machine fails would be taken for the limit.
    )
    broken = tmp_path / "break-run"
    call(tmp_path, "measure", "--target", target, "--profile", breaking, "--run", broken)
    measured = bracket_of(trials_of(load(broken))).last_passing

    print(
        f"{plan['binding']}: predicted {predicted:.0f} from {plan['highest_connections']}, measured {measured}"
    )

    assert plan["binding"] == "application_connections"
    assert abs(predicted / measured - 1) <= 0.01, (predicted, measured)
    assert plan["highest_connections"] <= measured * 0.26
    assert sum(step.gaps + step.lost + step.unmatched for step in load(run).steps) == 0
