"""The command as a process, as an operator runs it."""

import contextlib
import json
import re
import resource
import signal
import subprocess
import sys
import time

import pytest
import requests
import websocket

TIMEOUT_S = 60.0


@pytest.fixture(name="start")
def fixture_start():
    """Start `capacity exchange`; returns the process and its port once it is ready."""
    with contextlib.ExitStack() as stack:

        def start(*options):
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "capacity.cli.main", "exchange", "--port=0", *options],
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            ready = process.stderr.readline()
            match = re.fullmatch(r"exchange ready on http://127\.0\.0\.1:(\d+)\n", ready)
            assert match, ready
            return process, int(match[1])

        yield start


def refused(*options):
    """Return exit code and message of an exchange that does not start."""
    ended = subprocess.run(
        [sys.executable, "-m", "capacity.cli.main", "exchange", *options],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return ended.returncode, ended.stderr


def connected(port, timeout_s=TIMEOUT_S):
    return websocket.create_connection(f"ws://127.0.0.1:{port}/ws/api/v2", timeout=timeout_s)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(start, number):
    process, port = start()
    connection = connected(port)
    process.send_signal(number)
    code = process.wait(TIMEOUT_S)

    assert code == 0
    assert connection.recv_data()[1][:2] == (1001).to_bytes(2, "big")
    connection.shutdown()


def test_without_descriptors_the_open_connections_go_on_and_others_come_when_some_leave(start):
    _, port = start("--descriptor-limit=64", "--updates-per-s=20")
    admitted = [connected(port) for _ in range(45)]
    with contextlib.suppress(websocket.WebSocketException, OSError):
        while len(admitted) < 64:
            admitted.append(connected(port, timeout_s=1))  # Whoever is not admitted hears nothing.
    assert len(admitted) < 64
    request = '{"id":1,"method":"public/subscribe","params":{"channels":["quote.BTC-PERPETUAL"]}}'
    admitted[0].send(request)

    assert [admitted[0].recv() for _ in range(5)]
    for connection in admitted[1:11]:
        connection.shutdown()
    status = requests.get(f"http://127.0.0.1:{port}/status", timeout=TIMEOUT_S).json()
    assert status["descriptor_limit"] == 64
    assert status["accept_failures"] >= 1
    late = connected(port)
    late.send('{"id":2,"method":"public/test"}')
    assert '"id":2' in late.recv()
    for connection in (late, admitted[0], *admitted[11:]):
        connection.shutdown()


def test_an_agent_sees_its_processes_as_one_target(start):
    process, port = start("--processes=3", "--descriptor-limit=500")
    connections = [connected(port) for _ in range(60)]
    with subprocess.Popen(
        [sys.executable, "-m", "capacity.monitor", f"--port={port}", "--listen=0"],
        stderr=subprocess.PIPE,
        text=True,
    ) as agent:
        url = agent.stderr.readline().split()[-1]
        info = requests.get(f"{url}/v1/info", timeout=TIMEOUT_S).json()
        used = newest_use(url)
        agent.terminate()
    for connection in connections:
        connection.shutdown()

    assert (process.pid, 4) == (info["target_pids"][0], len(info["target_pids"]))
    assert [500] == [
        limit["value"] for limit in info["limits"] if limit["resource"] == "descriptors"
    ]
    assert 60 == used["application_connections"]
    assert 20 <= used["descriptors"] < 60  # Of the fullest one.


def test_over_tls_it_says_where_its_certificate_is(tmp_path):
    command = [sys.executable, "-m", "capacity.cli.main", "exchange", "--port=0"]
    with subprocess.Popen(
        [*command, f"--tls={tmp_path}"], stderr=subprocess.PIPE, text=True
    ) as process:
        ready, certificate = process.stderr.readline(), process.stderr.readline()
        process.terminate()

    assert re.fullmatch(r"exchange ready on https://127\.0\.0\.1:\d+\n", ready)
    assert f"certificate: {tmp_path}/certificate.pem\n" == certificate


def test_faults_of_a_file_are_done_and_said(start, tmp_path):
    faults = tmp_path / "faults.yaml"
    faults.write_text("faults: 1\ndo:\n  - {kind: burst, updates: 5}\n")
    process, _port = start(f"--faults={faults}")

    assert "exchange: fault burst befell 0 of 0 connections\n" == process.stderr.readline()


def test_a_mistake_in_the_faults_is_named_with_its_line_and_exit_code_2(tmp_path):
    faults = tmp_path / "faults.yaml"
    faults.write_text("faults: 1\ndo:\n  - {kind: skip, updates: 0}\n")
    code, message = refused(f"--faults={faults}")

    assert 2 == code
    assert "faults.yaml:3: " in message


def test_faults_are_not_taken_by_one_of_several_processes():
    code, message = refused("--takes-faults", "--processes=2")

    assert (2, True) == (code, "--takes-faults" in message)


def newest_use(url):
    deadline_s = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline_s:
        lines = requests.get(f"{url}/v1/samples?since=0", timeout=TIMEOUT_S).text.splitlines()
        used = {}
        for line in lines:
            used.update(json.loads(line)["used"])
        if "application_connections" in used:
            return used
        time.sleep(0.1)
    raise AssertionError("the agent counted no connections")


def test_a_taken_port_is_one_sentence_and_exit_code_3(start):
    _, port = start()
    code, message = refused(f"--port={port}")

    assert code == 3
    assert re.fullmatch(r"capacity: cannot listen on .*Address already in use.*\n", message)


def test_more_descriptors_than_allowed_is_one_sentence_and_exit_code_3():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    code, message = refused(f"--descriptor-limit={hard + 1}")

    assert code == 3
    assert message.count("\n") == 1


def test_attempts_at_a_connection_are_capped_and_told_when_to_come_again(start):
    _process, port = start("--connects-per-address=2", "--connects-window-s=3600")
    for _ in range(2):
        connected(port).shutdown()
    with pytest.raises(websocket.WebSocketBadStatusException) as refused_one:
        connected(port)

    assert 429 == refused_one.value.status_code
    assert 3500 < int(refused_one.value.resp_headers["retry-after"]) <= 3600


@pytest.mark.parametrize(
    "option",
    [
        "--updates-per-s=nan",
        "--instruments=0",
        "--max-connections=0",
        "--processes=0",
        "--burstiness=wild",
        "--slow-consumer-code=3999",
        "--credits-per-s=inf",
        "--connects-per-address=0",
        "--connects-window-s=0.5",
    ],
)
def test_impossible_values_are_named_with_exit_code_2(option):
    code, message = refused(option)

    assert code == 2
    assert option.partition("=")[0] in message
    assert "Traceback" not in message
