"""A glance says what a full parse says, or nothing."""

import json
import runpy
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.settings.dialect import load_dialect
from capacity.workload.conversation import Conversation, Kind
from capacity.workload.dialects.compiled import compile_dialect

GLANCES = runpy.run_path(str(Path(__file__).with_name("glances.py")))
conversation = GLANCES["conversation"]
hits = GLANCES["hits"]
DIALECTS = Path(__file__).parents[2] / "config" / "dialects"
CHANNELS = ("one", "two", "link", "free", "up", "range", "x:7")


def update(channel="one", n=1, **changes):
    data = {"ts": 1_700_000_000_000 + n, "p": n - 1, "n": n, "price": 1.5}
    return orjson.dumps({"kind": "update", "ch": channel, "data": data | changes})


numbers = st.integers(1, 6)
moments = st.one_of(
    st.integers(1_700_000_000_000, 1_700_000_000_009),
    st.sampled_from([0, -5, "1700000000001", "17", "x", 1.7e12 + 0.5, None, [], 10**17]),
)
whole = st.one_of(
    st.builds(
        update,
        channel=st.sampled_from([*CHANNELS, "stranger", 'qu"ote']),
        n=numbers,
        p=st.one_of(numbers, numbers.map(str)),
        ts=moments,
    ),
    st.builds(
        lambda channel, n, kind, blanks: json.dumps(
            {"kind": kind, "extra": {"n": 9, "ts": 9}, "ch": channel, "data": {"n": n, "ts": n}},
            indent=blanks,
        ).encode(),
        st.sampled_from(CHANNELS),
        st.one_of(numbers, numbers.map(str)),
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
    st.builds(lambda n: orjson.dumps([7, "tick", "x", {"ts": n, "n": n}]), numbers),
    st.sampled_from(
        [b"", b"[]", b"{}", b'{"kind":"update"}', b"\xff", b'{"kind":"update","ch":"one"}', b"7"]
    ),
)
damaged = st.one_of(
    st.builds(
        lambda first, between, second: first + between + second,
        whole,
        st.sampled_from([b"", b"\n", b"\x1e", b","]),
        whole,
    ),
    st.builds(lambda payload, stop: payload[:-stop], whole, st.integers(1, 40)),
    st.builds(lambda payload: payload.replace(b"1.5", b"NaN"), whole),
    st.builds(
        lambda payload, at, byte: (
            payload[: at % max(1, len(payload))]
            + bytes((byte,))
            + payload[at % max(1, len(payload)) + 1 :]
        ),
        whole,
        st.integers(0, 500),
        st.integers(0, 255),
    ),
    st.builds(lambda payload: payload.replace(b'"n":', b'"n":9,"n":'), whole),
)


@given(st.lists(whole | damaged, max_size=60), st.booleans())
def test_a_glance_and_a_full_parse_agree(frames, is_subscribed):
    quick, full = (conversation(*CHANNELS[: None if is_subscribed else 3]) for _ in range(2))
    for payload in frames:
        unnumbered = quick._dialect.glances.unnumbered
        expected = full.receive(payload)
        published_at_s = quick.glance(payload)
        if published_at_s is None:
            assert expected == quick.receive(payload)
            continue
        unnumbered = quick._dialect.glances.unnumbered - unnumbered
        assert (Kind.DATA, published_at_s, 0, None, (), 1, 1 - unnumbered) == (
            expected.kind,
            expected.published_at_s,
            expected.missed,
            expected.problem,
            expected.replies,
            expected.updates,
            expected.numbered,
        )


@pytest.mark.parametrize("channel", CHANNELS[:-1])
def test_updates_in_sequence_are_glanced_at(channel):
    assert 19 == hits(conversation(*CHANNELS), [update(channel, n) for n in range(1, 20)])


@pytest.mark.parametrize(("length", "expected"), [(0, 0), (1, 9), (2, 0)])
def test_a_list_of_one_update_is_glanced_at(length, expected):
    frames = [
        orjson.dumps({"kind": "update", "ch": "free", "data": [{"ts": 5, "n": n}] * length})
        for n in range(1, 10)
    ]

    assert expected == hits(conversation("free"), frames)


def test_channels_of_one_connection_are_kept_apart():
    frames = [update(channel, n) for n in range(1, 11) for channel in CHANNELS]

    assert len(frames) == hits(conversation(*CHANNELS), frames)


@pytest.mark.parametrize(
    "damage",
    [
        lambda frame: frame + b"\n" + frame,
        lambda frame: frame + b"\x1e",
        lambda frame: frame[:-1],
        lambda frame: frame[:-8],
        lambda frame: frame.replace(b"1.5", b"NaN"),
        lambda frame: frame.replace(b"1.5", b"-Infinity"),
        lambda frame: frame + b"]",
    ],
)
def test_what_is_no_json_is_never_an_update(damage):
    followed = conversation("one")
    hits(followed, [update(n=1), update(n=2)])
    frame = damage(update(n=3))

    assert followed.glance(frame) is None
    assert followed.receive(frame).kind is Kind.UNMATCHED
    assert followed.glance(update(n=3)) is not None


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


def test_updates_that_nothing_numbers_are_counted_by_whoever_shares_the_dialect():
    followed = conversation("one", "free")
    hits(followed, [update("free", n=5), update("free", n=9), update(n=1)])

    assert 2 == followed._dialect.glances.unnumbered


def test_dialects_without_a_time_are_read_in_full():
    assert 0 == hits(conversation("one", time=None), [update(n=n) for n in range(1, 5)])


def test_a_value_written_twice_is_the_last_one():
    followed = conversation("one")
    frame = b'{"kind":"update","ch":"one","data":{"ts":1000,"ts":2000,"n":1}}'

    assert 2.0 == followed.glance(frame)


def test_conversations_share_a_dialect_but_not_numbers():
    compiled = compile_dialect(load_dialect(DIALECTS / "url-subscribe.yaml"))
    first, second = Conversation(compiled, ["X"]), Conversation(compiled, ["Y"])
    first.subscribe(), second.subscribe()
    frames = [b'{"seq": %d, "ts": 1655395168086}' % n for n in range(1, 11)]

    assert 10 == hits(first, frames)
    assert 10 == hits(second, frames)


def test_several_updates_in_a_frame_are_so_many_updates():
    followed = conversation("one")
    frame = orjson.dumps(
        {"kind": "update", "ch": "one", "data": [{"ts": 1000 * n, "n": n} for n in (1, 2, 4)]}
    )
    reception = followed.receive(frame)

    assert (3, 3, 1, 4.0) == (
        reception.updates,
        reception.numbered,
        reception.missed,
        reception.published_at_s,
    )


def test_a_frame_without_updates_is_none():
    reception = conversation("one").receive(b'{"kind":"update","ch":"one","data":[]}')

    assert (Kind.DATA, 0) == (reception.kind, reception.updates)
