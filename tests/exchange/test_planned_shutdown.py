"""A planned shutdown as a raw client sees it."""

import json
import subprocess
import sys

import pytest
import requests
import websocket

TIMEOUT_S = 60.0


@pytest.fixture
def start():
    """Start exchanges as processes, which take SIGTERM; returns process and port."""
    started = []

    def start_one(*options):
        command = [sys.executable, "-m", "capacity.cli.main", "exchange", "--port=0", *options]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process, int(process.stderr.readline().rsplit(":", 1)[1])

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("code", "words"), [(1001, b"shutting down"), (1012, b"service restart")])
def test_clients_are_told_served_on_and_then_closed_with_the_code(start, code, words):
    process, port = start(
        "--shutdown-notice-s=0.5", f"--shutdown-code={code}", "--updates-per-s=50"
    )
    connection = websocket.create_connection(f"ws://127.0.0.1:{port}/ws/api/v2", timeout=TIMEOUT_S)
    asked = {"id": 1, "method": "public/subscribe", "params": {"channels": ["quote.BTC-PERPETUAL"]}}
    connection.send(json.dumps(asked))
    connection.recv()
    process.terminate()
    frames = []
    while (frame := connection.recv_frame()).opcode == websocket.ABNF.OPCODE_TEXT:
        frames.append(json.loads(frame.data))
    told = [number for number, said in enumerate(frames) if said["method"] == "notice"]

    assert 1 == len(told)
    assert (frames[told[0]]["params"]["type"], frames[told[0]]["params"]["closes_in_s"]) == (
        "shutdown",
        0.5,
    )
    assert len(frames) - told[0] > 5
    assert (websocket.ABNF.OPCODE_CLOSE, code.to_bytes(2, "big") + words) == (
        frame.opcode,
        frame.data,
    )
    assert 0 == process.wait(TIMEOUT_S)
    connection.shutdown()


def test_without_notice_they_are_closed_at_once(start):
    process, port = start()
    connection = websocket.create_connection(f"ws://127.0.0.1:{port}/ws/api/v2", timeout=TIMEOUT_S)
    assert requests.get(f"http://127.0.0.1:{port}/status", timeout=TIMEOUT_S).ok
    process.terminate()

    assert websocket.ABNF.OPCODE_CLOSE == connection.recv_frame().opcode
    assert 0 == process.wait(TIMEOUT_S)
    connection.shutdown()
