"""Granian by its words and variables, and a real one that lets WebSockets in beyond its cap."""

import importlib.util
import sys

import pytest

APPLICATION = """
async def application(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"held", "more_body": True})
        await receive()
        await receive()
"""
ASK = b"GET / HTTP/1.1\r\nHost: target\r\n\r\n"
WORDS = ("/usr/bin/python3", "/usr/bin/granian", "--interface", "asgi", "app:app")


@pytest.mark.parametrize(
    ("words", "cap"),
    [
        (("--backpressure", "50"), 50),
        (("--workers", "2", "--backpressure", "50"), 100),
        (("--backlog", "300", "--workers", "2"), 300),
        (("--workers", "3"), 341 * 3),
        (("--backlog", "2", "--workers", "4"), 4),
        (("--backlog", "0", "--workers", "1"), 1),
        (("--backpressure", "50", "--workers", "0"), 50),
        ((), 1024),
    ],
)
def test_each_worker_serves_its_part(made, words, cap):
    (entry,) = made.entries(*WORDS, *words)

    assert (entry.value, entry.resource) == (cap, None)


def test_the_command_line_beats_the_variables(made):
    made.environ |= {"GRANIAN_BACKPRESSURE": "5", "GRANIAN_WORKERS": "2"}

    assert [each.value for each in made.entries(*WORDS)] == [10]
    assert [each.value for each in made.entries(*WORDS, "--backpressure", "6")] == [12]


@pytest.mark.skipif(importlib.util.find_spec("granian") is None, reason="granian is not installed")
def test_a_real_one_serves_as_many_plain_requests_as_were_read(
    start_server, free_port, fill, tmp_path
):
    (tmp_path / "app.py").write_text(APPLICATION)
    port = free_port()
    granian = start_server(
        sys.executable,
        *("-m", "granian", "--interface", "asgi", "--port", port, "--backpressure", "16"),
        *("--no-log", "app:application"),
        port=port,
    )

    assert granian.limits() == []
    assert fill(port, most=24) == 24
    assert fill(port, ask=ASK, answer=b"held") == 16
