"""Frames through a real conversation of a dialect of the test's own."""

import time

import orjson
import pytest

from capacity.loadgen.checks.hearing import Ear, fitting_unit
from capacity.workload.conversation import Conversation
from capacity.workload.dialects.compiled import compile_dialect
from capacity.workload.dialects.dialect import (
    Channel,
    Data,
    Dialect,
    Sequence,
    Subscribe,
    Time,
    WebSocket,
)
from capacity.workload.reception import shown


def dialect(unit="ms", path="ts", seq="seq", items=None, only="px.*"):
    return compile_dialect(
        Dialect(
            dialect=1,
            name="own",
            ws=WebSocket(url="{scheme}://{host}:{port}/"),
            channels={"px": Channel(wire="px.{symbol}")},
            subscribe=Subscribe(send={"channels": "{channels:list}"}, confirm="none"),
            data=Data(where={"t": {"exists": True}}, key="t", items=items),
            time=Time(path=path, unit=unit),
            sequence=(Sequence(rule="plus_one", seq=seq, only=only),),
        )
    )


def heard(compiled, *frames):
    conversation = Conversation(compiled, ["px.A", "px.B"])
    conversation.subscribe()
    ear = Ear(compiled, ["px.A", "px.B"])
    for frame in frames:
        payload = frame if isinstance(frame, bytes) else orjson.dumps(frame)
        ear.note(payload, conversation.receive(payload))
    return ear.heard(1.0)


def now_as(per_s):
    return round(time.time() * per_s)


def test_the_last_update_of_each_channel_is_kept_with_time_and_number():
    frames = [{"t": "px.A", "seq": n, "ts": now_as(1e3)} for n in (1, 2)]
    found = heard(dialect(), *frames)
    [update] = found.latest

    assert ("px.A", 2) == (update.channel, update.number)
    assert abs(update.published_at - update.heard_at) < 5
    assert (2, 2, 2, 0) == (found.updates, found.timed, found.numbered, found.unmatched)
    assert (("px.B",), ("ts", "ms"), "seq") == (found.silent, found.time, found.sequence)


@pytest.mark.parametrize(("per_s", "unit"), [(1, "s"), (1e3, "ms"), (1e6, "us"), (1e9, "ns")])
def test_the_unit_that_fits_is_found(per_s, unit):
    wrong = "us" if unit == "ms" else "ms"
    [update] = heard(dialect(wrong), {"t": "px.A", "seq": 1, "ts": now_as(per_s)}).latest

    assert unit == update.fitting_unit


@pytest.mark.parametrize("value", [None, "soon", 7, [], True, float("inf"), "1e999"])
def test_what_is_no_time_fits_no_unit(value):
    assert fitting_unit(value, 1_800_000_000.0) is None


def test_a_moment_in_words_is_a_unit_too():
    assert "rfc3339" == fitting_unit("2027-01-01T00:00:00Z", 1_798_761_600.0)


def test_paths_that_lead_nowhere_count_nothing():
    frame = {"t": "px.A", "seq": 1, "ts": now_as(1e3)}
    found = heard(dialect(path="no.such", seq="neither"), frame)
    [update] = found.latest

    assert (1, 0, 0) == (found.updates, found.timed, found.numbered)
    assert (None, None) == (update.published_at, update.value)


def test_channels_that_no_rule_numbers_are_not_asked_for_numbers():
    found = heard(dialect(only="book.*"), {"t": "px.A", "ts": now_as(1e3)})

    assert found.sequence is None


def test_of_several_updates_in_a_frame_the_last_is_shown():
    items = [{"seq": n, "ts": now_as(1e3)} for n in (4, 5)]
    [update] = heard(dialect(items="all"), {"t": "px.A", "all": items}).latest

    assert 5 == update.number


def test_frames_that_were_not_understood_are_counted_and_the_first_is_kept():
    found = heard(dialect(), {"hello": 1}, b"no JSON")

    assert (2, 2, 0) == (found.frames, found.unmatched, found.updates)
    assert '{"hello":1}' == found.first_unmatched


def test_a_frame_is_shown_as_text_or_by_its_first_bytes():
    assert "a\ufffd[2J" == shown(b"a\x1b[2J")
    assert "4 bytes: 1f 8b 08 ff" == shown(b"\x1f\x8b\x08\xff")
    assert shown(b"\xff" * 9_999).startswith("9999 bytes: ff ff")
    assert len(shown(b"x" * 9_999)) <= 120
