"""Every shipped dialect against frames as the protocols' own documentation shows them.

A story is what the client says first, then frames of the target, each with what becomes of it.
"""

import json
import runpy
from pathlib import Path

import orjson
import pytest

from capacity.settings.dialect import load_dialect
from capacity.workload.conversation import Conversation
from capacity.workload.dialects.address import channel_name
from capacity.workload.dialects.compiled import compile_dialect
from capacity.workload.dialects.moment import clock_by

STORIES_OF = Path(__file__).with_name("stories")
TOLD = runpy.run_path(str(STORIES_OF / "story.py"))
DATA = TOLD["DATA"]
REJECTED = TOLD["REJECTED"]
NOW_MS = TOLD["NOW_MS"]
VALUES = TOLD["VALUES"]
STORIES = [
    story
    for name in (
        "exchanges",
        "kraken_and_coinbase",
        "signed_exchanges",
        "private_exchanges",
        "kucoin_to_upbit",
        "message_brokers",
        "frameworks",
    )
    for story in runpy.run_path(str(STORIES_OF / f"{name}.py"))["STORIES"]
]
PRIVATE_KEYS = runpy.run_path(str(STORIES_OF / "private_exchanges.py"))["PRIVATE_KEYS"]
DIALECTS = Path(__file__).parents[2] / "config" / "dialects"


def as_bytes(frame):
    if isinstance(frame, bytes):
        return frame
    return frame.encode() if isinstance(frame, str) else orjson.dumps(frame)


def as_sent(frame, like):
    """Return a frame that was sent as it is written in the story."""
    if isinstance(like, bytes):
        return frame
    return frame.decode() if isinstance(like, str) else json.loads(frame)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_shipped_dialect_speaks_as_its_documentation_shows(story):
    source = load_dialect(DIALECTS / f"{story.name}.yaml")
    channels = [channel_name(source, channel, symbol) for channel, symbol in story.follows]
    values = VALUES | {"private_key": PRIVATE_KEYS.get(source.name)}
    talk = Conversation(compile_dialect(source), channels, lambda: values)
    published_at = None
    sent = talk.start()

    assert len(sent) == len(story.says)
    assert list(story.says) == [as_sent(*pair) for pair in zip(sent, story.says, strict=True)]
    for frame, kind, expected in story.hears:
        (message,) = talk.messages([as_bytes(frame)])
        (reception,) = talk.receive_all(message)
        assert (kind, frame) == (reception.kind, frame), reception
        if kind is DATA:
            published_at = reception.published_at_s
            assert expected == reception.missed
        else:
            assert list(expected) == [
                as_sent(*pair) for pair in zip(reception.replies, expected, strict=True)
            ]
    assert not talk.pending or kind is REJECTED
    assert story.published_at == published_at


def test_every_shipped_dialect_has_a_story():
    told = {story.name for story in STORIES}
    # Those of the bundled exchange and of plain pushes have tests of their own in tests/workload.
    assert {path.stem for path in DIALECTS.glob("*.yaml")} - told == {
        "deribit",
        "json-push",
        "url-subscribe",
    }


def test_what_json_echo_sends_is_the_update_that_comes_back():
    source = load_dialect(DIALECTS / "json-echo.yaml")
    talk = Conversation(compile_dialect(source), ["echo"], lambda: {"now_ms": NOW_MS})
    talk.start()
    receptions = [talk.receive(talk.every(0)) for _ in range(3)]

    assert [(DATA, 0, NOW_MS / 1000)] * 3 == [
        (each.kind, each.missed, each.published_at_s) for each in receptions
    ]
    assert clock_by(source.time) is not None
