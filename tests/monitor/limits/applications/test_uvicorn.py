"""uvicorn and hypercorn by their words, and a real one that lets WebSockets in beyond its cap."""

import importlib.util
import sys

import pytest

APPLICATION = """
async def application(scope, receive, send):
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
"""
ASK = b"GET / HTTP/1.1\r\nHost: target\r\n\r\n"


@pytest.mark.parametrize(
    ("words", "cap"),
    [
        (("--limit-concurrency", "50"), 49),
        (("--workers=2", "--limit-concurrency=50"), 98),
        (("--workers=1", "--limit-concurrency=50"), 49),
        (("--workers=0", "--limit-concurrency=50"), 49),
        (("--limit-concurrency=2",), 1),
        (("--limit-concurrency=0",), 0),
        ((), None),
    ],
)
@pytest.mark.parametrize(
    "start", [("/usr/bin/python3", "/usr/bin/uvicorn"), ("python3", "-m", "uvicorn")]
)
def test_it_caps_plain_requests_and_no_connection(made, start, words, cap):
    (entry,) = made.entries(*start, "app:app", *words)

    assert (entry.value, entry.resource) == (cap, None)


def test_the_environment_gives_it_as_well(made):
    made.environ |= {"UVICORN_LIMIT_CONCURRENCY": "5", "WEB_CONCURRENCY": "3", "KEY": "secret"}
    (entry,) = made.entries("python3", "-m", "uvicorn", "app:app")

    assert entry.value == 12
    assert "secret" not in f"{entry}"


def test_hypercorn_has_none(made):
    (entry,) = made.entries("python3", "/usr/bin/hypercorn", "--workers", "2", "app:app")

    assert (entry.value, entry.resource) == (None, None)


def test_a_real_one_answers_plain_requests_as_far_as_was_read(
    start_server, free_port, fill, tmp_path
):
    (tmp_path / "app.py").write_text(APPLICATION)
    port = free_port()
    uvicorn = start_server(
        sys.executable,
        *("-m", "uvicorn", "app:application", "--port", port, "--limit-concurrency", "9"),
        *("--timeout-keep-alive", "60"),
        port=port,
    )

    assert uvicorn.limits() == []
    assert fill(port, ask=ASK, answer=b" 200 ") == 8
    assert fill(port, most=20) == 20


@pytest.mark.skipif(
    importlib.util.find_spec("hypercorn") is None, reason="hypercorn is not installed"
)
def test_a_real_hypercorn_lets_everybody_in(start_server, free_port, fill, tmp_path):
    (tmp_path / "app.py").write_text(APPLICATION)
    port = free_port()
    words = ("-m", "hypercorn", "--bind", f"127.0.0.1:{port}", "--backlog", 5, "app:application")
    hypercorn = start_server(sys.executable, *words, port=port)

    assert hypercorn.limits() == []
    assert fill(port, most=24) == 24
