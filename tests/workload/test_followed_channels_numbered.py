"""Channels that are told by a number which the target hands out, and messages that a pattern reads."""

import runpy
from pathlib import Path

import orjson

from capacity.settings.dialect import parse
from capacity.workload.conversation import Conversation, Kind
from capacity.workload.dialects.compiled import compile_dialect

GLANCES = runpy.run_path(str(Path(__file__).with_name("glances.py")))
conversation = GLANCES["conversation"]
hits = GLANCES["hits"]


def test_messages_that_a_pattern_reads_are_glanced_at_and_gaps_are_not():
    told = "MSG (?P<ch>\\S+) (?P<body>[^\\r]*)\\r\\n"
    followed = conversation(
        "one",
        messages={"pattern": told},
        data={"where": {"ch": {"exists": True}}, "key": "ch", "items": "body"},
        heartbeat=[],
    )
    frames = [b'MSG one {"ts":1700000000000,"n":%d}\r\n' % n for n in (1, 2, 3, 5)]

    assert 3 == hits(followed, frames[:3])
    assert followed.glance(frames[3]) is None
    assert 1 == followed.receive(frames[3]).missed
    assert followed.glance(b"MSG one\r\n") is None


HANDED_OUT = {
    "dialect": 1,
    "name": "handed-out",
    "ws": {"url": "ws://{host}:{port}/"},
    "channels": {"a": {"wire": "{symbol}"}},
    "subscribe": {
        "send": {"sub": "{channel}"},
        "ack": {"where": {"is": "on"}, "ok": {"n": {"exists": True}}, "alias": "n"},
    },
    "unsubscribe": {"send": {"end": "{alias}"}, "ack": {"where": {"is": "off"}}},
    "heartbeat": [{"when": {"1": "hb"}}],
    "data": {"where": {"1.0": {"exists": True}}, "key": "0"},
    "time": {"path": "-1", "unit": "ms"},
    "sequence": [
        {"where": {"1": "hb"}, "rule": "plus_one", "scope": "connection", "seq": "-2"},
        {"rule": "plus_one", "scope": "connection", "seq": "-2"},
    ],
}


class Numbered:
    """A conversation whose lists are numbered all together."""

    def __init__(self, *channels):
        self.talk = Conversation(compile_dialect(parse(HANDED_OUT)), channels)
        self.talk.subscribe()

    def hears(self, *frames):
        """Return kind, channel and missing updates of each frame."""
        heard = [self.talk.receive(orjson.dumps(frame)) for frame in frames]
        return [(each.kind, each.channel, each.missed) for each in heard]


def content(number, seq):
    return [number, [[1.5, 2, 3]], seq, 1_700_000_000_000]


def test_updates_are_of_the_channel_that_their_number_was_handed_out_for():
    numbered = Numbered("one", "two")

    assert numbered.hears({"is": "on", "n": 77}, {"is": "on", "n": "x"}) == [
        (Kind.ACK, None, 0),
        (Kind.ACK, None, 0),
    ]
    assert numbered.hears(content("x", 1), content(77, 2), content(78, 3), content([77], 4)) == [
        (Kind.DATA, "two", 0),
        (Kind.DATA, "one", 0),
        (Kind.UNMATCHED, None, 0),
        (Kind.UNMATCHED, None, 0),
    ]
    assert numbered.talk.glance(orjson.dumps(content(77, 3))) == 1_700_000_000.0
    assert numbered.talk.glance(orjson.dumps(content(78, 4))) is None


def test_a_list_without_items_is_one_update():
    numbered = Numbered("one")
    numbered.hears({"is": "on", "n": 1})

    assert numbered.talk.receive(orjson.dumps(content(1, 1))).updates == 1


def test_frames_that_are_no_updates_count_where_the_whole_connection_is_numbered():
    numbered = Numbered("one")
    numbered.hears({"is": "on", "n": 1}, content(1, 1))

    assert numbered.hears([1, "hb", 2, 0], content(1, 3), [1, "hb", 6, 0], content(1, 8)) == [
        (Kind.HEARTBEAT, None, 0),
        (Kind.DATA, "one", 0),
        (Kind.HEARTBEAT, None, 2),
        (Kind.DATA, "one", 1),
    ]


def test_what_comes_late_of_an_ended_subscription_counts_too():
    numbered = Numbered("one", "two")
    numbered.hears({"is": "on", "n": 1}, {"is": "on", "n": 2}, content(1, 1))

    assert numbered.talk.unsubscribe(["one"]) == [b'{"end":1}']
    assert numbered.hears({"is": "off"}, content(1, 2), content(2, 3), content(1, 6)) == [
        (Kind.ACK, None, 0),
        (Kind.IGNORED, None, 0),
        (Kind.DATA, "two", 0),
        (Kind.IGNORED, None, 2),
    ]


def test_a_new_subscription_takes_its_new_number_alone():
    numbered = Numbered("one")
    numbered.hears({"is": "on", "n": 1})
    numbered.talk.unsubscribe(["one"])
    numbered.hears({"is": "off"})
    numbered.talk.subscribe(["one"])

    assert numbered.hears({"is": "on", "n": 2}, content(2, 1), content(1, 2)) == [
        (Kind.ACK, None, 0),
        (Kind.DATA, "one", 0),
        (Kind.UNMATCHED, None, 0),
    ]
    assert numbered.talk.unsubscribe(["one"]) == [b'{"end":2}']
