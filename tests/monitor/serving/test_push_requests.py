"""What a pusher sends at a time, and what it makes of the answer."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from capacity.monitor.serving import push as module

PUSHING = runpy.run_path(str(Path(__file__).with_name("pushing.py")))
receive = PUSHING["receive"]
ring_of = PUSHING["ring_of"]
pusher = PUSHING["pusher"]


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
