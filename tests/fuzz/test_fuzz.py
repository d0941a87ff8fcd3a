"""A little of each fuzz: `make fuzz-frames` and `make fuzz-http` go through millions and hundreds of thousands."""

import json
import runpy
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FRAMES = 12_000
REQUESTS = 150


@pytest.fixture
def program(monkeypatch):
    """Run a file of this folder, which is no package, and return what it defines."""
    monkeypatch.syspath_prepend(str(HERE))
    yield lambda name: runpy.run_path(str(HERE / name))
    for name in ("bad_requests", "frame_referee", "streams"):
        sys.modules.pop(name, None)


def test_the_frame_reader_and_wsproto_differ_in_nothing_that_is_not_explained(program):
    frames = program("frames.py")
    figures = frames["go_on"](frames["begun"](seed=2), FRAMES)

    assert [] == figures["found"]
    assert (0, 0) == (figures["crashes"], figures["disagreements"])
    assert figures["frames"] >= FRAMES
    assert figures["allowed"].keys() <= frames["ALLOWED"].keys()


def test_every_kind_of_damage_is_among_the_streams(program):
    streams = program("streams.py")
    damages = {streams["stream_of"](1, number).damage for number in range(400)}

    assert {*streams["_WRONG"], "none", "closed", "cut off", "bit", "dropped"} <= damages


def test_a_stream_is_the_same_for_one_seed_and_number(program):
    stream_of = program("streams.py")["stream_of"]

    assert stream_of(1, 7).data == stream_of(1, 7).data
    assert stream_of(1, 7).data != stream_of(2, 7).data


@pytest.mark.parametrize(
    "wrong", ["a message too few", "another message", "no end", "a pong too few"]
)
def test_a_reader_that_is_wrong_is_found_out(program, monkeypatch, wrong):
    frames = program("frames.py")
    judge = sys.modules["frame_referee"]
    true = judge.ours

    def ours(stream, cuts):
        read = true(stream, cuts)
        if wrong == "a message too few":
            read.payloads = read.payloads[:-1]
        elif wrong == "another message":
            read.payloads = [payload[::-1] for payload in read.payloads]
        elif wrong == "a pong too few":
            read.pings = read.pings[1:]
        else:
            read.end = None
        return read

    monkeypatch.setattr(judge, "ours", ours)

    assert frames["go_on"](frames["begun"](seed=1), 3000)["disagreements"]


def test_a_reader_that_crashes_is_found_out(program, monkeypatch):
    frames = program("frames.py")

    def ours(_stream, _cuts):
        raise ZeroDivisionError

    monkeypatch.setattr(sys.modules["frame_referee"], "ours", ours)
    figures = frames["go_on"](frames["begun"](seed=1), 10_000)

    assert frames["MOST_FOUND"] == figures["crashes"] == len(figures["found"])


def test_the_fuzz_goes_on_where_it_was_left(program, tmp_path, capsys):
    frames, file = program("frames.py"), tmp_path / "figures.json"
    for most in ("1000", "2000"):
        assert 0 == frames["main"](["--frames", most, "--into", str(file)])
    resumed = json.loads(file.read_text())
    assert 0 == frames["main"](["--frames", "2000", "--into", str(tmp_path / "other.json")])
    at_once = json.loads((tmp_path / "other.json").read_text())
    for figures in (resumed, at_once):
        del figures["cpu_s"]

    assert resumed == at_once
    assert "0 unexplained disagreements" in capsys.readouterr().out


@pytest.mark.parametrize("service", ["agent", "push"])
def test_bad_requests_leave_no_traceback_and_the_legitimate_client_is_served(
    program, tmp_path, service
):
    figures = program("http_servers.py")["fuzz"](service, REQUESTS, 3, tmp_path)

    assert [] == figures["found"]
    assert (REQUESTS, 0) == (figures["requests"], figures["tracebacks"])
    assert {} == figures["legitimate"]["refused"]
    assert len(figures["statuses"]) > 4


def test_what_must_not_be_answered_is_found_out(program):
    http = program("http_servers.py")
    request = sys.modules["bad_requests"].Request
    stranger = request((b"GET /v1/info HTTP/1.1\r\n\r\n",), False, False, False)

    def faults(answer):
        return http["faults"](stranger, answer)

    assert [] == faults(b"HTTP/1.1 401 Unauthorized\r\n\r\n{}")
    assert ["served without the token"] == faults(b"HTTP/1.1 200 OK\r\n\r\n{}")
    assert ["status 500"] == faults(b"HTTP/1.1 500 Internal Server Error\r\n\r\n")
    assert ["no HTTP: b'ok'"] == faults(b"ok")
