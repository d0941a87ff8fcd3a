"""Pushing over real sockets to a small receiver that can be rude, away, and behind TLS."""

import runpy
import socket
from pathlib import Path

import pytest

from capacity.monitor.notes import Notes
from capacity.monitor.serving import push as module
from capacity.monitor.serving.credentials import client_context, server_context
from capacity.monitor.serving.push import Pusher

PUSHING = runpy.run_path(str(Path(__file__).with_name("pushing.py")))
INFO = PUSHING["INFO"]
sample = PUSHING["sample"]
receive = PUSHING["receive"]
ring_of = PUSHING["ring_of"]
pusher = PUSHING["pusher"]


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
