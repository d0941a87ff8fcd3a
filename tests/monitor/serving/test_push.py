"""Pushing over real sockets to a small receiver that can be rude, away, and behind TLS."""

import json
import runpy
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from capacity.monitor.notes import Notes
from capacity.monitor.serving import push as module
from capacity.monitor.serving.credentials import client_context, server_context
from capacity.monitor.serving.push import Pusher
from capacity.monitor.serving.store import SampleRing

AGENT = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))
INFO = AGENT["agent_info"]()


def sample(seq):
    return AGENT["sample_of"](seq, target_started_at=None)


class Receiver:
    """Takes pushes as the contract says; `rude` answers that come first are given as they are."""

    def __init__(self, port=0, tls=None):
        self.rude = []
        self.infos, self.seqs, self.posts = [], [], []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append((self.path, dict(self.headers), body))
                status, answer = receiver.taken(self.path, body)
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def taken(self, path, body):
        if path.endswith("/v1/info"):
            self.infos.append(json.loads(body))
        elif self.rude:
            return self.rude.pop(0)
        else:
            self.seqs += [json.loads(line)["seq"] for line in body.splitlines()]
        return 200, json.dumps({"next": max(self.seqs, default=0) + 1}).encode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receive():
    receivers = []

    def start(*arguments, **options):
        receivers.append(Receiver(*arguments, **options))
        return receivers[-1]

    yield start
    for receiver in receivers:
        receiver.close()


@pytest.fixture
def push(monkeypatch):
    monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(module, "_LONGEST_PAUSE_S", 0.1)
    pushers = []

    def start(url, ring, notes=None, **how):
        pushers.append(Pusher(url, ring, lambda: INFO, notes or Notes(), **how))
        pushers[-1].start()
        return pushers[-1]

    yield start
    for pusher in pushers:
        pusher.stop(2)


def ring_of(count, keep=1000):
    ring = SampleRing(keep)
    for seq in range(1, count + 1):
        ring.add(sample(seq))
    return ring


def test_info_comes_first_then_every_sample_in_order(receive, push, wait_until):
    receiver, ring = receive(), ring_of(5)
    push(f"http://127.0.0.1:{receiver.port}/behind", ring, token="s3cret")
    wait_until(lambda: len(receiver.seqs) == 5)
    ring.add(sample(6))
    wait_until(lambda: len(receiver.seqs) == 6)
    paths = [path for path, _, _ in receiver.posts]
    heads = [headers for _, headers, _ in receiver.posts]

    assert receiver.seqs == [1, 2, 3, 4, 5, 6]
    assert paths == ["/behind/v1/info", "/behind/v1/samples", "/behind/v1/samples"]
    assert {head["Authorization"] for head in heads} == {"Bearer s3cret"}
    assert [head["Capacity-Newest-Seq"] for head in heads] == ["5", "5", "6"]
    assert receiver.posts[1][2] == b"".join(line for _, line in ring_of(5).since(0))
    assert receiver.infos[0]["target_pids"] == [1]


def test_a_push_begins_with_the_sample_that_is_wanted(receive, push, wait_until):
    receiver = receive()
    receiver.seqs = [3]
    push(f"http://127.0.0.1:{receiver.port}", ring_of(5))
    wait_until(lambda: len(receiver.seqs) == 3)

    assert receiver.seqs == [3, 4, 5]


@pytest.mark.parametrize(
    ("rude", "words"),
    [
        ((503, b"busy"), "answers 503"),
        ((409, b'{"error": "post /v1/info first"}'), "answers 409 'post /v1/info first'"),
        ((401, b'{"error": "no"}'), "refuses the token (401)"),
        ((302, b""), "answers 302"),
        ((200, b"<html>welcome</html>"), "not as a receiver of samples does"),
        ((200, b'{"next": "5"}'), "not as a receiver of samples does"),
        ((200, b'{"next": true}'), "not as a receiver of samples does"),
        ((200, b'{"next": 0}'), "not as a receiver of samples does"),
        ((200, b"[]"), "not as a receiver of samples does"),
        ((200, b'{"next": 1}'), "took no sample from 1 on"),
        ((None, b""), "Remote end closed"),
        ((500, b'{"error": "\\u001b[31m\\n"}'), r"answers 500 '\x1b[31m\n'"),
    ],
)
def test_what_was_not_taken_is_sent_again_after_another_info(
    receive, push, wait_until, capsys, rude, words
):
    receiver, notes = receive(), Notes()
    receiver.rude = [rude]
    push(f"http://127.0.0.1:{receiver.port}", ring_of(3), notes)
    wait_until(lambda: len(receiver.seqs) == 3)
    wait_until(lambda: not notes.sentences)
    said = capsys.readouterr().err.splitlines()

    assert (receiver.seqs, len(receiver.infos)) == ([1, 2, 3], 2)
    assert words in said[0]
    assert said[1].startswith("capacity agent: over: ")


def test_a_receiver_that_was_away_misses_nothing(receive, push, wait_until):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ring, notes = ring_of(1), Notes()
    push(f"http://127.0.0.1:{port}", ring, notes)
    wait_until(lambda: notes.sentences)
    said = notes.sentences[0]
    for seq in range(2, 300):
        ring.add(sample(seq))
    receiver = receive(port)
    wait_until(lambda: len(receiver.seqs) >= 299)

    assert said == f"--push http://127.0.0.1:{port}: Connection refused; retrying"
    assert receiver.seqs == list(range(1, 300))


def test_much_is_sent_in_parts(receive, push, wait_until, monkeypatch):
    line_bytes = len(ring_of(1).since(0)[0][1])
    monkeypatch.setattr(module, "MOST_BYTES", 10 * line_bytes)
    receiver = receive()
    push(f"http://127.0.0.1:{receiver.port}", ring_of(35))
    wait_until(lambda: len(receiver.seqs) == 35)

    assert receiver.seqs == list(range(1, 36))
    assert max(len(body) for _, _, body in receiver.posts) <= 10 * line_bytes


def test_rare_samples_are_no_silence(receive, push, wait_until, monkeypatch):
    monkeypatch.setattr(module, "_ALIVE_S", 0.05)
    receiver = receive()
    push(f"http://127.0.0.1:{receiver.port}", ring_of(0))
    wait_until(lambda: len(receiver.posts) > 4)

    assert [(path, body) for path, _, body in receiver.posts[2:5]] == [("/v1/samples", b"")] * 3


def test_limits_are_told_again_in_time(receive, push, wait_until, monkeypatch):
    monkeypatch.setattr(module, "_ALIVE_S", 0.05)
    monkeypatch.setattr(module, "_INFO_S", 0.1)
    receiver = receive()
    push(f"http://127.0.0.1:{receiver.port}", ring_of(0))

    wait_until(lambda: len(receiver.infos) > 2)

    assert receiver.infos[0]["limits"] == receiver.infos[2]["limits"]


def test_a_receiver_that_does_not_answer_ends_no_agent(push, wait_until, monkeypatch):
    monkeypatch.setattr(module, "_TIMEOUT_S", 0.1)
    notes = Notes()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        pusher = push(f"http://127.0.0.1:{mute.getsockname()[1]}", ring_of(1), notes)
        wait_until(lambda: notes.sentences)
        pusher.stop(30)
        is_over = not pusher._thread.is_alive()

    assert "no response within" in notes.sentences[0]
    assert is_over


def test_junk_instead_of_http_is_named(push, wait_until):
    notes = Notes()
    with socket.create_server(("127.0.0.1", 0)) as junk:
        push(f"http://127.0.0.1:{junk.getsockname()[1]}", ring_of(1), notes)
        client, _ = junk.accept()
        client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        wait_until(lambda: notes.sentences)
        client.close()

    assert "does not answer in HTTP (BadStatusLine)" in notes.sentences[0]


def test_the_last_samples_come_through_when_the_agent_is_told_to_stop(receive, push, wait_until):
    receiver, ring = receive(), ring_of(1)
    pusher = push(f"http://127.0.0.1:{receiver.port}", ring)
    wait_until(lambda: receiver.seqs)
    ring._lines.append((2, b'{"seq":2}\n'))  # Nobody was woken.
    pusher.stop(2)

    assert receiver.seqs == [1, 2]


def test_over_tls_it_pushes_to_the_one_that_it_can_check(receive, push, wait_until, certificate):
    receiver = receive(tls=server_context(certificate.file, certificate.key))
    tls = client_context(certificate.file)
    push(f"https://localhost:{receiver.port}", ring_of(3), tls=tls, token="s3cret")
    wait_until(lambda: len(receiver.seqs) == 3)

    assert receiver.seqs == [1, 2, 3]


def test_a_stranger_in_the_receivers_place_gets_nothing(receive, push, wait_until, certificate):
    receiver, notes = receive(tls=server_context(certificate.file, certificate.key)), Notes()
    push(f"https://localhost:{receiver.port}", ring_of(3), notes, tls=client_context(None))
    wait_until(lambda: notes.sentences)

    assert (
        "its certificate cannot be verified (self-signed certificate): see --ca-file"
        in (notes.sentences[0])
    )
    assert receiver.posts == []


@pytest.fixture
def pusher(receive):
    """A pusher that nothing is pushed with but what a test asks for, and its receiver."""

    def make(ring=None):
        receiver = receive()
        url = f"http://127.0.0.1:{receiver.port}"
        return Pusher(url, ring or ring_of(3), lambda: INFO, Notes()), receiver

    return make


@pytest.mark.parametrize(("last_bytes", "count"), [(1 << 20, 4), ((1 << 20) + 1, 3)])
def test_a_request_has_four_mebibytes_of_samples(pusher, last_bytes, count):
    made, _receiver = pusher()
    asked = []
    lines = [(seq, bytes(1 << 20)) for seq in (5, 6, 7)] + [(8, bytes(last_bytes)), (9, b"")]

    def since(seq):
        asked.append(seq)
        return lines[:4]

    made._ring = SimpleNamespace(since=since)

    assert count == len(made._lines_from(5))
    assert [4] == asked


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, b'{"next": 1}'), None),
        ((200, b'{"next": 0}'), "not as a receiver"),
        ((200, b'{"next": true}'), "not as a receiver"),
        ((200, b'{"next": "5"}'), "not as a receiver"),
        ((200, b"[5]"), "not as a receiver"),
        ((200, b"no JSON"), "not as a receiver"),
        ((401, b'{"error": "no"}'), "refuses the token"),
        ((503, b'{"error": "full"}'), "answers 503 'full'"),
        ((503, b"[]"), "answers 503 ''"),
        ((500, b'{"error": "' + b"x" * 300 + b'"}'), "answers 500 '" + "x" * 119),
    ],
)
def test_an_answer_says_what_is_wanted_next_or_why_it_was_not_taken(pusher, answer, said):
    made, receiver = pusher()
    receiver.rude = [answer]
    if said is None:
        assert 1 == made._post("/v1/samples", "application/x-ndjson", b"")
    else:
        with pytest.raises(module._RefusedError) as refused:
            made._post("/v1/samples", "application/x-ndjson", b"")
        assert said in str(refused.value)
        assert len(str(refused.value)) <= len("answers 500 ") + 120
    made._connection.close()


def test_the_info_comes_first_and_again_after_half_a_minute(pusher, monkeypatch):
    clock, waits = SimpleNamespace(now_s=1000.0), []
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now_s))
    ring = ring_of(3)
    ring.wait_beyond = lambda seq, timeout_s, _stop: waits.append((seq, timeout_s))
    made, receiver = pusher(ring)
    pushing, infos = made._push_until_refused(), []
    for passed_s in (0.0, 29.5, 0.5, 5.0):
        clock.now_s += passed_s
        next(pushing)
        infos.append(len(receiver.infos))
    made._connection.close()

    assert [1, 1, 2, 2] == infos
    assert [(3, 5.0)] * 3 == waits
    assert [1, 2, 3] == receiver.seqs
    assert "3" == receiver.posts[0][1]["Capacity-Newest-Seq"]


def test_who_takes_no_sample_is_not_asked_for_ever(pusher):
    made, receiver = pusher()
    receiver.rude = [(200, b'{"next": 1}')]
    with pytest.raises(module._RefusedError, match="took no sample from 1 on"):
        next(made._push_until_refused())
    made._connection.close()


def test_an_answer_is_waited_for_five_seconds(pusher):
    made, _receiver = pusher()

    assert 5.0 == made._connection.timeout
