"""Proxies whose caps nobody declares: read where they stand, forecast, and not gone near to."""

import contextlib
import json
import runpy
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from capacity.cli.running.children import Child
from capacity.recording.run_directory import load

call = runpy.run_path(str(Path(__file__).parents[1] / "running_programs.py"))["called"]

pytestmark = [pytest.mark.end_to_end, pytest.mark.long, pytest.mark.xdist_group("caps")]

CAP = 400
UPGRADE = (
    b"GET /sub/prices HTTP/1.1\r\nHost: target\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
HAPROXY = """\
global
    maxconn 4000
defaults
    mode http
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    timeout tunnel 300s
frontend statistics
    bind 127.0.0.1:{other}
    maxconn 10
    stats enable
frontend prices
    bind 127.0.0.1:{port}
    maxconn {cap}
    default_backend venue
backend venue
    server one 127.0.0.1:{upstream}
"""
NGINX = """\
daemon off;
user root root;
pid {folder}/proxy.pid;
error_log {folder}/proxy.log;
events {{
    worker_connections {slots};
}}
http {{
    access_log off;
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{
            proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
            proxy_read_timeout 300s;
        }}
    }}
}}
"""
SAFE = """\
profile: 1
name: safe
kind: safe
levels: 3
connects_per_s: 200
settle_s: 1
plateau_s: 4
ramp_timeout_s: 5
mix: {subscriptions_per_connection: 1, requests_per_s_per_connection: 0}
"""
TARGET = """\
target: 1
name: proxy
host: 127.0.0.1
port: {port}
dialect: url-subscribe
symbols: [prices]
channels: [updates]
agent: {{url: {agent}}}
"""
PROXIES = {
    "haproxy": (HAPROXY, ("haproxy", "-db", "-f"), 15, "maxconn 400"),
    "nginx": (NGINX, ("nginx", "-c"), 6, "worker_connections 802"),
}
"""Configuration, how it is started, the line of the cap in it, and the setting."""


@pytest.fixture
def start(tmp_path, start_nginx, start_publisher):
    """Start a proxy before a publishing nginx, and an agent beside it; return port and agent."""
    with contextlib.ExitStack() as stack:

        def run(name):
            text, command, _, _ = PROXIES[name]
            if shutil.which(command[0]) is None:
                pytest.skip(f"{command[0]} is not installed")
            venue = start_nginx(worker_connections=4096, listeners=1)
            start_publisher(venue)
            port, other = free_ports(2)
            path = tmp_path / f"{name}.conf"
            path.write_text(
                text.format(
                    port=port,
                    other=other,
                    upstream=venue.port,
                    cap=CAP,
                    slots=2 * CAP + 2,
                    folder=tmp_path,
                )
            )
            proxy = stack.enter_context(subprocess.Popen([*command, path]))
            stack.callback(proxy.terminate)
            wait_for(port)
            agent = Child(
                "agent",
                ["-m", "capacity.monitor", "--pid", str(proxy.pid), "--listen", "0"],
                tmp_path / "agent.log",
            )
            stack.callback(agent.stop)
            return port, path, agent.wait_ready("agent ready on ")

        yield run


def free_ports(count):
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [server.getsockname()[1] for server in servers]


def wait_for(port):
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.05)
    pytest.fail("the proxy did not start")


def filled(port):
    """Open subscribers one by one until two in a row are not served; return how many are."""
    served = refused = 0
    with contextlib.ExitStack() as stack:
        while refused < 2:
            client = stack.enter_context(socket.socket())
            client.settimeout(0.7)
            try:
                client.connect(("127.0.0.1", port))
                client.sendall(UPGRADE)
                is_served = client.recv(4096).startswith(b"HTTP/1.1 101")
            except OSError:
                is_served = False
            served, refused = (served + 1, 0) if is_served else (served, refused + 1)
    return served


@pytest.mark.parametrize("name", PROXIES)
def test_a_cap_that_nobody_declared_is_forecast_and_refuses_nobody(tmp_path, start, name):
    port, path, agent = start(name)
    _, _, line, setting = PROXIES[name]
    target, profile = tmp_path / "target.yaml", tmp_path / "safe.yaml"
    target.write_text(TARGET.format(port=port, agent=agent))
    profile.write_text(SAFE)
    run = tmp_path / "run"
    doctor = json.loads(
        call(tmp_path, "doctor", "--target", target, "--profile", profile, "--json")
    )
    call(tmp_path, "measure", "--target", target, "--profile", profile, "--run", run)
    plan = json.loads(call(tmp_path, "plan", run, "--json"))["plan"]
    record = load(run)
    (own,) = [each for each in doctor["findings"] if each["name"] == "application's own limit"]
    wall, holds = plan["ladder"][0], filled(port)

    print(
        f"{name}: read {wall['limit']['value']}, forecast {plan['capacity']['mid']}, held {holds}"
    )

    assert f"400 connections, read from {path}:{line}: {setting}" in own["statement"]
    assert plan["binding"] == "application_connections"
    assert abs(plan["capacity"]["mid"] / holds - 1) <= 0.01
    assert holds == CAP
    assert f"{path}:{line}: {setting}" in wall["remedy"]
    assert plan["highest_connections"] <= CAP / 4
    assert record.manifest.audited_bound == CAP
    assert 0 == sum(step.lost + step.gaps for step in record.steps)
    assert [] == [step.index for step in record.steps if step.cut_off is not None]
