"""Frames through a real conversation of a dialect of the test's own."""

import time
from dataclasses import replace

import orjson
import pytest

from capacity.loadgen.checks.heard_frames import HeardFrames, fitting_unit, told
from capacity.workload.conversation import Conversation
from capacity.workload.dialects.channel_requests import Channel
from capacity.workload.dialects.checksum import Book
from capacity.workload.dialects.compiled import compile_dialect
from capacity.workload.dialects.dialect import Data, Dialect
from capacity.workload.dialects.endpoints import WebSocket
from capacity.workload.dialects.moment import Time
from capacity.workload.dialects.sending import Subscribe
from capacity.workload.dialects.sequence import Sequence
from capacity.workload.reception import HEARTBEAT, shown


def dialect(unit="ms", path="ts", items=None, **rule):
    return compile_dialect(
        Dialect(
            dialect=1,
            name="own",
            ws=WebSocket(url="{scheme}://{host}:{port}/"),
            channels={"px": Channel(wire="px.{symbol}")},
            subscribe=Subscribe(send={"channels": "{channels:list}"}, confirm="none"),
            data=Data(where={"t": {"exists": True}}, key="t", items=items),
            time=Time(path=path, unit=unit),
            sequence=(Sequence(**{"rule": "plus_one", "seq": "seq", "only": "px.*", **rule}),),
        )
    )


def heard(compiled, *frames):
    conversation = Conversation(compiled, ["px.A", "px.B"])
    conversation.subscribe()
    seen = HeardFrames(compiled, ["px.A", "px.B"])
    for frame in frames:
        payload = frame if isinstance(frame, bytes) else orjson.dumps(frame)
        for reception in conversation.receive_all(payload):
            seen.note(payload, reception)
    return seen.heard(1.0)


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


def test_a_rule_of_numbers_is_not_told_as_one_of_checksums():
    frames = [{"t": "px.A", "seq": n, "ts": now_as(1e3)} for n in (1, 2)]

    assert not heard(dialect(), *frames).is_checksum
    assert not heard(dialect()).is_checksum


def test_a_rule_of_checksums_alone_is_told_as_one():
    book = Book(form="okx", depth=5, checksum="crc")
    found = heard(dialect(rule="checksum", seq=None, book=book), {"t": "px.A", "ts": now_as(1e3)})

    assert ("crc", True) == (found.sequence, found.is_checksum)


def test_of_several_updates_in_a_frame_the_last_is_shown():
    items = [{"seq": n, "ts": now_as(1e3)} for n in (4, 5)]
    [update] = heard(dialect(items="all"), {"t": "px.A", "all": items}).latest

    assert 5 == update.number


def test_of_updates_of_several_channels_in_a_message_each_channel_shows_its_own():
    source = dialect().source
    listed = compile_dialect(replace(source, messages=replace(source.messages, list="all")))
    entries = [{"t": f"px.{name}", "seq": n, "ts": now_as(1e3)} for name, n in (("A", 4), ("B", 7))]
    latest = {each.channel: each.number for each in heard(listed, {"all": entries}).latest}

    assert {"px.A": 4, "px.B": 7} == latest


def test_without_a_key_an_update_is_of_the_first_channel():
    source = dialect().source
    keyless = compile_dialect(replace(source, data=replace(source.data, key=None)))
    [update] = heard(keyless, {"t": "px.B", "seq": 4, "ts": now_as(1e3)}).latest

    assert ("px.A", 4) == (update.channel, update.number)


def test_frames_that_were_not_understood_are_counted_and_the_first_is_kept():
    found = heard(dialect(), {"hello": 1}, b"no JSON")

    assert (2, 2, 0) == (found.frames, found.unmatched, found.updates)
    assert '{"hello":1}' == found.first_unmatched


@pytest.mark.parametrize(
    ("problem", "said"), [("its time is missing", "its time is missing"), (None, '{"hello":1}')]
)
def test_a_message_is_told_by_what_is_wrong_with_it_or_by_how_it_begins(problem, said):
    assert said == told(HEARTBEAT._replace(problem=problem), b'{"hello":1}')


def test_a_frame_is_shown_as_text_or_by_its_first_bytes():
    assert "a\ufffd[2J" == shown(b"a\x1b[2J")
    assert "4 bytes: 1f 8b 08 ff" == shown(b"\x1f\x8b\x08\xff")
    assert shown(b"\xff" * 9_999).startswith("9999 bytes: ff ff")
    assert len(shown(b"x" * 9_999)) <= 120


@pytest.mark.parametrize(("off_s", "unit"), [(86_399.0, "s"), (86_400.0, None), (-86_399.0, "s")])
def test_a_unit_fits_by_which_a_time_is_within_a_day_of_now(off_s, unit):
    assert unit == fitting_unit(1_800_000_000.0 + off_s, 1_800_000_000.0)


def test_a_value_is_shown_by_its_first_letters():
    [update] = heard(dialect(), {"t": "px.A", "seq": 1, "ts": "x" * 500}).latest

    assert (120, "'xxx") == (len(update.value), update.value[:4])


def test_who_heard_frames_and_no_update_is_puzzled():
    compiled = dialect()
    frames, conversation = HeardFrames(compiled, ["px.A"]), Conversation(compiled, ["px.A"])
    conversation.subscribe()
    seen = [frames.is_puzzled]
    for frame in ({"hello": 1}, {"t": "px.A", "seq": 1, "ts": now_as(1e3)}):
        payload = orjson.dumps(frame)
        frames.note(payload, conversation.receive(payload))
        seen.append(frames.is_puzzled)

    assert [False, True, False] == seen


def test_updates_with_and_without_time_are_counted_apart():
    frames = [{"t": "px.A", "seq": 1, "ts": now_as(1e3)}, {"t": "px.A", "ts": "?"}]
    found = heard(dialect(), *frames, {"t": "px.B", "seq": 7, "ts": now_as(1e3)})

    assert (3, 2, 2, 0, 3) == (
        found.updates,
        found.timed,
        found.numbered,
        found.unmatched,
        found.frames,
    )
    assert () == found.silent


@pytest.mark.parametrize(("numbers", "missed", "gaps"), [((1, 2, 3), 0, 0), ((1, 3, 4, 7), 3, 2)])
def test_what_is_missing_by_number_is_counted_with_its_gaps(numbers, missed, gaps):
    found = heard(dialect(), *({"t": "px.A", "seq": n, "ts": now_as(1e3)} for n in numbers))

    assert (missed, gaps, 0) == (found.missed, found.gaps, found.mismatched)


def test_what_is_missing_before_a_heartbeat_counts_as_well():
    seen = HeardFrames(dialect(), ["px.A"])
    seen.note(b"{}", HEARTBEAT._replace(missed=2))

    assert (2, 1) == (seen.heard(1.0).missed, seen.heard(1.0).gaps)
