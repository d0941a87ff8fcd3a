"""Shortcuts read what a full parse reads, or nothing."""

import json
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.settings.dialect import load_dialect, parse
from capacity.workload.compiled import compile_dialect
from capacity.workload.conversation import Conversation, Kind
from capacity.workload.shortcut import CHECK_EVERY, MOST_LESSONS, MOST_MISSES, shortcut_of

DIALECTS = Path(__file__).parents[2] / "config" / "dialects"
PUSH = {
    "dialect": 1,
    "name": "push",
    "ws": {"url": "ws://{host}:{port}/"},
    "channels": {"a": {"wire": "{symbol}"}},
    "subscribe": {"send": {"sub": "{channels:list}"}, "confirm": "none"},
    "data": {"where": {"kind": "update"}, "key": "ch", "items": "data"},
    "time": {"path": "ts", "unit": "ms"},
    "sequence": [
        {
            "only": "link*",
            "rule": "prev_link",
            "seq": "n",
            "prev": "p",
            "snapshot": {"missing": "p"},
        },
        {"only": "free*", "rule": "none"},
        {"only": "up*", "rule": "monotonic", "seq": "n"},
        {"rule": "plus_one", "seq": "n"},
    ],
}
DERIBIT_BOOK = (
    b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.X.100ms","data":'
    b'{"type":"change","timestamp":1655395168086,"prev_change_id":7,"change_id":8,'
    b'"bids":[["new",20977,0.109]],"asks":[]}}}'
)
CHANNELS = ("one", "two", "link", "free", "up")


def conversation(*channels, **changes):
    compiled = compile_dialect(parse(PUSH | changes))
    followed = Conversation(compiled, channels)
    followed.subscribe()
    return followed


def update(channel="one", n=1, **changes):
    data = {"ts": 1_700_000_000_000 + n, "p": n - 1, "n": n, "price": 1.5}
    return orjson.dumps({"kind": "update", "ch": channel, "data": data | changes})


def hits(followed, payloads):
    """Return how many of *payloads* a glance was enough for."""
    count = 0
    for payload in payloads:
        if followed.glance(payload) is not None:
            count += 1
        else:
            followed.receive(payload)
    return count


numbers = st.integers(1, 6)
moments = st.one_of(
    st.integers(1_700_000_000_000, 1_700_000_000_009),
    st.sampled_from([0, -5, "1700000000001", "17", "x", 1.7e12 + 0.5, None, [], 10**17]),
)
payloads = st.one_of(
    st.builds(
        update,
        channel=st.sampled_from([*CHANNELS, "stranger", 'qu"ote']),
        n=numbers,
        p=numbers,
        ts=moments,
    ),
    st.builds(
        lambda channel, n, kind, blanks: json.dumps(
            {"kind": kind, "extra": {"n": 9, "ts": 9}, "ch": channel, "data": {"n": n, "ts": n}},
            indent=blanks,
        ).encode(),
        st.sampled_from(CHANNELS),
        numbers,
        st.sampled_from(["update", "other", None]),
        st.sampled_from([None, 1]),
    ),
    st.builds(
        lambda channel, ns: orjson.dumps(
            {"kind": "update", "ch": channel, "data": [{"ts": 5, "n": n} for n in ns]}
        ),
        st.sampled_from(CHANNELS),
        st.lists(numbers, max_size=3),
    ),
    st.sampled_from(
        [b"", b"[]", b"{}", b'{"kind":"update"}', b"\xff", b'{"kind":"update","ch":"one"}']
    ),
)


@given(st.lists(payloads, max_size=60))
def test_a_glance_and_a_full_parse_agree(frames):
    quick, full = conversation(*CHANNELS), conversation(*CHANNELS)
    for payload in frames:
        expected = full.receive(payload)
        published_at_s = quick.glance(payload)
        if published_at_s is None:
            assert expected == quick.receive(payload)
        else:
            assert (Kind.DATA, published_at_s, 0, None) == (
                expected.kind,
                expected.published_at_s,
                expected.missed,
                expected.problem,
            )


def test_updates_in_sequence_are_glanced_at_but_for_the_first_and_the_checks():
    followed = conversation("one")

    assert 10 * CHECK_EVERY - 11 <= hits(followed, [update(n=n) for n in range(10 * CHECK_EVERY)])


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_numbering_rule_has_its_shortcut(channel):
    assert 18 == hits(conversation(*CHANNELS), [update(channel, n) for n in range(1, 20)])


def test_channels_of_one_connection_are_kept_apart():
    frames = [update(channel, n) for n in range(1, 11) for channel in CHANNELS]

    assert len(frames) - len(CHANNELS) == hits(conversation(*CHANNELS), frames)


def test_a_gap_is_left_to_the_full_parse():
    followed = conversation("one")
    hits(followed, [update(n=1), update(n=2)])

    assert followed.glance(update(n=5)) is None
    assert 2 == followed.receive(update(n=5)).missed
    assert followed.glance(update(n=6)) is not None


def test_nothing_is_glanced_at_after_the_subscription_ended():
    followed = conversation("one", unsubscribe={"send": {"unsub": "{channels:list}"}})
    hits(followed, [update(n=1), update(n=2)])
    followed.unsubscribe(["one"])

    assert followed.glance(update(n=3)) is None


@pytest.mark.parametrize(
    ("name", "wire", "payload"),
    [
        (
            "deribit",
            "book.X.100ms",
            DERIBIT_BOOK,
        ),
        ("json-push", "X", b'{"seq":8,"ts":1655395168086}'),
        ("url-subscribe", "X", b'{"seq": 8, "ts": 1655395168086, "more": {"ts": 1}}'),
    ],
)
def test_the_shipped_dialects_have_shortcuts(name, wire, payload):
    compiled = compile_dialect(load_dialect(DIALECTS / f"{name}.yaml"))
    rule = compiled.rule_of(wire)

    shortcut = shortcut_of(payload, compiled.source, rule.source)
    found = shortcut.match(payload)

    assert 1655395168.086 == shortcut.seconds(found)
    assert 8 == shortcut.number(found, 7)


@pytest.mark.parametrize(
    "changes",
    [
        {"time": {"path": "ts", "unit": "rfc3339"}},
        {"data": {"where": {"error": {"exists": False}}, "key": "ch", "items": "data"}},
        {"time": {"path": "n", "unit": "ms"}},
    ],
    ids=["written time", "absence tells an update", "one place for two values"],
)
def test_some_dialects_have_none(changes):
    frames = [update(n=n) for n in range(1, 20)]

    assert 0 == hits(conversation("one", **changes), frames)


def test_a_value_far_back_has_none():
    frames = [
        orjson.dumps({"kind": "update", "ch": "one", "pad": "x" * 600, "data": {"ts": 5, "n": n}})
        for n in range(1, 20)
    ]

    assert 0 == hits(conversation("one"), frames)


def test_a_value_written_twice_is_always_parsed():
    frames = [
        b'{"kind":"update","ch":"one","data":{"ts":1,"ts":2,"n":%d}}' % n for n in range(1, 20)
    ]

    assert 0 == hits(conversation("one"), frames)


def test_updates_of_ever_new_shapes_are_given_up():
    followed = conversation("one")
    frames = [
        orjson.dumps({"kind": "update", "ch": "one", f"key{n}": 1, "data": {"ts": 5, "n": n}})
        for n in range(MOST_LESSONS + MOST_MISSES + 2)
    ]

    assert 0 == hits(followed, frames)
    assert 0 == hits(followed, [update(n=n) for n in range(5000, 5010)])


def test_conversations_share_shortcuts_but_not_numbers():
    compiled = compile_dialect(load_dialect(DIALECTS / "url-subscribe.yaml"))
    first, second = Conversation(compiled, ["X"]), Conversation(compiled, ["Y"])
    frames = [b'{"seq": %d, "ts": 1655395168086}' % n for n in range(1, 11)]
    both = [(followed, frame) for frame in frames for followed in (first, second)]

    assert 18 == sum(hits(followed, [frame]) for followed, frame in both)
