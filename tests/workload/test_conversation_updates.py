"""Updates and their numbers, told or missing."""

import itertools
import runpy
from pathlib import Path

import orjson
import pytest

from capacity.settings.dialect import load_dialect
from capacity.workload.conversation import Conversation, Kind, Reception
from capacity.workload.dialects.compiled import compile_dialect

FRAMES = runpy.run_path(str(Path(__file__).with_name("conversation_frames.py")))
DIALECTS, BOOK, TICKER = FRAMES["DIALECTS"], FRAMES["BOOK"], FRAMES["TICKER"]
TRADES, dialect, following = FRAMES["TRADES"], FRAMES["dialect"], FRAMES["following"]
update, change, snapshot = FRAMES["update"], FRAMES["change"], FRAMES["snapshot"]


def test_an_update_tells_its_channel_and_time_of_publication():
    reception = following(TICKER).receive(
        update(TICKER, {"timestamp": 1655395057025, "state": "open", "best_bid_price": 20987})
    )

    assert reception == Reception(Kind.DATA, TICKER, 1655395057.025, updates=1)


def test_one_planted_gap_in_a_linked_sequence_is_one_missing_update():
    conversation = following(BOOK)
    ids = list(range(1000, 3000, 7))
    frames = [snapshot(ids[0])] + [change(prev, this) for prev, this in itertools.pairwise(ids)]
    del frames[100]
    receptions = [conversation.receive(frame) for frame in frames]

    assert [reception.missed for reception in receptions] == [0] * 100 + [1] + [0] * (
        len(frames) - 101
    )
    assert {reception.kind for reception in receptions} == {Kind.DATA}


def test_a_snapshot_in_the_middle_starts_the_numbering_anew():
    conversation = following(BOOK)
    frames = [snapshot(1), change(1, 5), snapshot(90), change(90, 95)]

    assert [conversation.receive(frame).missed for frame in frames] == [0, 0, 0, 0]


def test_numbers_left_out_of_lists_are_counted():
    conversation = following(TRADES)
    frames = [
        update(TRADES, [{"trade_seq": n, "timestamp": 1655395000000 + n} for n in numbers])
        for numbers in ([1, 2, 3], [4], [7, 8, 10])
    ]
    receptions = [conversation.receive(frame) for frame in frames]

    assert [reception.missed for reception in receptions] == [0, 0, 2 + 1]
    assert receptions[2].published_at_s == 1655395000.010


def test_channels_have_numberings_of_their_own():
    conversation = Conversation(dialect(), ("a", "b"))
    conversation.subscribe()
    frames = [(ch, n) for n in range(10) for ch in ("a", "b") if (ch, n) != ("b", 5)]
    missed = {
        (ch, n): conversation.receive(orjson.dumps({"ch": ch, "seq": n})).missed for ch, n in frames
    }

    assert {key for key, count in missed.items() if count} == {("b", 6)}
    assert missed["b", 6] == 1


def test_a_numbering_of_the_connection_spans_its_channels():
    rules = [{"rule": "plus_one", "seq": "seq", "scope": "connection"}]
    conversation = Conversation(dialect(sequence=rules), ("a", "b"))
    conversation.subscribe()
    missed = [
        conversation.receive(orjson.dumps({"ch": ch, "seq": n})).missed
        for n, ch in ((1, "a"), (2, "b"), (3, "a"), (6, "b"))
    ]

    assert missed == [0, 0, 0, 2]


def test_channels_that_updates_do_not_name_are_not_checked_for_gaps():
    unnamed = {"where": {"seq": {"exists": True}}}
    alone = Conversation(dialect(data=unnamed), ("a",))
    together = Conversation(dialect(data=unnamed), ("a", "b"))
    frames = [b'{"seq":1}', b'{"seq":9}']

    assert [alone.receive(frame).missed for frame in frames] == [0, 7]
    assert [together.receive(frame).missed for frame in frames] == [0, 0]


def test_an_update_of_a_channel_never_asked_for_is_unmatched():
    reception = following(TICKER).receive(snapshot(1))

    assert reception.kind is Kind.UNMATCHED
    assert reception.problem is not None
    assert reception.problem.startswith("an update of a channel not subscribed to: {")


def test_a_pushed_update_to_an_idle_connection_is_still_a_delivery():
    push = compile_dialect(load_dialect(DIALECTS / "json-push.yaml"))

    assert Conversation(push).receive(b'{"seq":1,"ts":1000}') == Reception(
        Kind.DATA, None, 1.0, updates=1
    )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"timestamp": 1655395057025}, "no whole number at change_id"),
        ({"timestamp": 1655395057025, "change_id": "7a"}, "no whole number at change_id"),
        ({"timestamp": 1655395057025, "change_id": True}, "no whole number at change_id"),
        (7, "no whole number at change_id"),
    ],
)
def test_an_update_without_its_number_is_told_as_a_problem_not_as_no_gap(data, problem):
    conversation = following(BOOK)
    conversation.receive(snapshot(1))
    reception = conversation.receive(update(BOOK, data))

    assert (reception.kind, reception.missed) == (Kind.DATA, 0)
    assert reception.problem == problem
    assert (reception.updates, reception.numbered) == (1, 0)
    assert conversation.receive(change(1, 5)).missed == 0


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"", "empty: "),
        (b"7", "neither a JSON object nor a list: 7"),
        (b"\xff\xfe", "not JSON: 2 bytes: ff fe"),
        (b"[1]", "no rule for: [1]"),
        (b"[" * 5000, "not JSON: " + "[" * 120),
        (b'{"method":"subscription"}', "an update without its channel: "),
        (
            b'{"method":"subscription","params":{"channel":["x"]}}',
            "an update without its channel: ",
        ),
        (b'{"method":"subscription","params":[]}', "an update without its channel: "),
        (
            b'{"method":"subscription","params":{"channel":"%b"}}' % BOOK.encode(),
            "an update without its content: ",
        ),
    ],
)
def test_a_frame_of_no_use_is_unmatched_and_shown(payload, problem):
    reception = following(BOOK).receive(payload)

    assert reception.kind is Kind.UNMATCHED
    assert (reception.problem or "").startswith(problem)


def test_an_update_of_a_channel_nobody_asked_for_may_be_ignored_and_is_unmatched_else():
    conversation = Conversation(dialect(ignore=[{"ch": "news"}]), ("a",))
    conversation.subscribe()
    kinds = [
        conversation.receive(orjson.dumps({"ch": channel, "seq": 1})).kind
        for channel in ("a", "news", "b")
    ]

    assert [Kind.DATA, Kind.IGNORED, Kind.UNMATCHED] == kinds
