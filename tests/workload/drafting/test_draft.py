"""What is drafted from sessions as venues' documentation shows them."""

import gzip
import json
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.domain.errors import ConfigError
from capacity.settings.dialect import findings, parse
from capacity.workload.drafting.draft import drafted
from capacity.workload.drafting.recorded_session import Frame, Session, read_session
from capacity.workload.drafting.replay import Replay
from capacity.workload.drafting.yaml_text import block

VENUES = ("deribit", "okx", "kraken", "binance", "bitmex", "coinbase", "push")


def dialect_of(draft):
    return parse(json.loads(json.dumps(draft.sections)))


@pytest.mark.parametrize("venue", VENUES)
def test_a_draft_is_a_valid_dialect_that_understands_all_of_its_recording(session, venue):
    recorded = session(venue)
    dialect = dialect_of(drafted(recorded, venue))
    replay = Replay(dialect, recorded.frames)
    for _ in replay.run():
        pass

    assert [] == list(findings(dialect))
    assert {} == replay.counts.problems
    assert {"unmatched", "rejected"}.isdisjoint(replay.counts.kinds)
    assert sum(replay.counts.updates.values()) == replay.counts.timed
    assert replay.counts.missed == 0


@pytest.mark.parametrize(
    ("venue", "symbols", "wires"),
    [
        (
            "deribit",
            ["BTC-PERPETUAL", "ETH-PERPETUAL"],
            ["book.{symbol}.100ms", "ticker.{symbol}.100ms"],
        ),
        ("okx", ["BTC-USDT", "ETH-USDT"], ["books:{symbol}"]),
        ("kraken", ["BTC/USD", "ETH/USD"], ["{symbol}"]),
        ("binance", ["btcusdt", "bnbbtc"], ["{symbol}@depth@100ms"]),
        ("bitmex", ["XBTUSD"], ["trade:{symbol}", "quote:{symbol}"]),
        ("coinbase", ["BTC-USD", "ETH-USD"], ["{symbol}"]),
        ("push", [], ["updates"]),
    ],
)
def test_symbols_are_told_from_the_names_of_channels(session, venue, symbols, wires):
    draft = drafted(session(venue), venue)

    assert symbols == draft.symbols
    assert wires == [channel["wire"] for channel in draft.sections["channels"].values()]


@pytest.mark.parametrize(
    ("venue", "rule"),
    [
        (
            "deribit",
            {
                "only": "book.*.100ms",
                "rule": "prev_link",
                "seq": "params.data.change_id",
                "prev": "params.data.prev_change_id",
            },
        ),
        ("okx", {"rule": "prev_link", "seq": "seqId", "prev": "prevSeqId"}),
        ("binance", {"rule": "range", "seq": "data.u", "first": "data.U"}),
        ("coinbase", {"rule": "plus_one", "seq": "sequence_num", "scope": "connection"}),
        ("push", {"rule": "plus_one", "seq": "seq"}),
    ],
)
def test_the_numbering_is_the_one_that_holds(session, venue, rule):
    assert [rule] == drafted(session(venue), venue).sections["sequence"]


def test_what_has_no_numbers_is_doubted(session):
    draft = drafted(session("kraken"), "kraken")

    assert "sequence" not in draft.sections
    assert "gaps cannot be told" in draft.doubts["data"]


def test_nothing_that_looks_like_a_secret_is_written_down(session):
    for venue, needs in (("coinbase", "jwt"), ("push", "token")):
        draft = drafted(session(venue), venue)
        text = json.dumps(draft.sections)

        assert [needs] == draft.sections["needs"]
        assert "eyJsecret1" not in text
        assert "abcdefghi" not in text
    assert "v=2" in text


def test_what_is_sent_again_and_again_is_a_heartbeat(session):
    okx = drafted(session("okx"), "okx").sections["heartbeat"]
    deribit = drafted(session("deribit"), "deribit").sections["heartbeat"]

    assert [{"every_s": 25, "send_text": "ping"}, {"when_text": "pong"}] == okx
    assert [{"method": "heartbeat"}] == [rule["when"] for rule in deribit]


def test_a_symbol_can_be_named(session):
    draft = drafted(session("deribit"), "deribit", ["BTC"])

    assert ["BTC"] == draft.symbols
    assert "book.{symbol}-PERPETUAL.100ms" in str(draft.sections["channels"])


def test_the_address_is_taken_apart(session):
    draft = drafted(session("okx"), "okx")

    assert ("ws.okx.com", 8443, True) == draft.origin
    assert "{scheme}://{host}:{port}/ws/v5/public" == draft.sections["ws"]["url"]


def test_rest_requests_beside_it_become_operations(session):
    recorded = session("push")
    har = {
        "log": {
            "entries": [
                {
                    "request": {"url": "wss://ws.venue.com/feed", "headers": []},
                    "_webSocketMessages": [
                        {
                            "type": "receive",
                            "opcode": 1,
                            "time": frame.at_s,
                            "data": frame.payload.decode(),
                        }
                        for frame in recorded.frames
                    ],
                },
                {
                    "request": {
                        "method": "GET",
                        "url": "https://api.venue.com/v1/book?depth=5&api_key=x1",
                    },
                    "response": {"content": {"mimeType": "application/json", "text": "{}"}},
                },
            ]
        }
    }
    draft = drafted(read_session(json.dumps(har), "v.har"), "venue")

    assert {"base": "https://api.venue.com"} == draft.sections["http"]
    assert {"book": {"path": "/v1/book", "query": {"depth": "5"}}} == draft.sections["rest"]


def test_an_address_that_is_none_is_said_to_be_none(session):
    recorded = session("push")

    with pytest.raises(ConfigError, match="the recording's address is none: Invalid IPv6 URL"):
        drafted(replace(recorded, url="ws://[::1"), "x")


TREES = st.recursive(
    st.sampled_from(
        ["BTC-USD", "subscribe", "px.A", "{channel}", "", 1, 2, True, None, 1_795_770_000]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "type", "channel", "data", "ts", "ping", "a b", "$", ""]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
FRAMES = st.builds(
    Frame,
    payload=TREES.map(lambda tree: json.dumps(tree).encode()) | st.binary(max_size=8),
    is_ours=st.booleans(),
    at_s=st.none() | st.just(1_795_770_000.0),
)


@given(st.lists(FRAMES, max_size=10))
@settings(max_examples=40, deadline=None)
def test_no_recording_raises_anything_but_what_is_wrong_with_it(frames):
    try:
        draft = drafted(Session(frames=tuple(frames)), "x")
    except ConfigError:
        return
    text = "\n".join(line for key, value in draft.sections.items() for line in block(key, value))

    assert draft.sections == yaml.safe_load(text) | {"dialect": 1}


def test_a_recording_without_updates_says_what_to_do():
    with pytest.raises(ConfigError, match="holds no update that is JSON; record longer"):
        drafted(Session(frames=()), "x")


def test_a_packed_session_is_read_and_its_dialect_unpacks():
    """As on HTX: gzip, a key of its own for requests, refusals with an id, and pings."""
    asked = [{"sub": f"market.{name}.depth", "id": name} for name in ("btcusdt", "ethusdt", "nope")]
    heard = [
        {"id": "btcusdt", "status": "ok", "subbed": "market.btcusdt.depth"},
        {"id": "ethusdt", "status": "ok", "subbed": "market.ethusdt.depth"},
        {"id": "nope", "status": "error", "err-msg": "invalid topic"},
        {"ping": 1_795_803_227_860},
    ]
    heard += [
        {"ch": f"market.{name}.depth", "ts": 1_795_803_227_000 + n, "tick": {"version": n}}
        for n in range(5, 9)
        for name in ("btcusdt", "ethusdt")
    ]
    frames = [Frame(payload=json.dumps(frame).encode(), is_ours=True) for frame in asked]
    frames += [Frame(payload=gzip.compress(json.dumps(frame).encode())) for frame in heard]
    draft = drafted(Session(frames=tuple(frames)), "htx")
    replay = Replay(dialect_of(draft), tuple(frames))
    for _ in replay.run():
        pass

    assert {"packing": "gzip"} == draft.sections["messages"]
    assert "heartbeat" not in draft.sections
    assert "a ping is among them" in draft.doubts["ignore"]
    assert (8, 8, 0) == (replay.counts.timed, replay.counts.numbered, replay.counts.missed)
    assert {"where": {"err-msg": {"exists": True}}, "message": "err-msg"} == (
        draft.sections["subscribe"]["ack"]["error"]
    )


@pytest.mark.parametrize(
    ("address", "drafted_as"),
    [
        ("/v1/multi?symbols=BTCUSD,ETHUSD&top=true", "/v1/multi?symbols={channels}&top=true"),
        ("/v1/multi?symbols=BTCUSD%2CETHUSD", "/v1/multi?symbols={channels}"),
        ("/v1/stream/BTCUSD?top=true", "/v1/stream/{channel}?top=true"),
        ("/v1/BTCUSD-2/x?for=NOBODY", "/v1/BTCUSD-2/x?for=NOBODY"),
    ],
)
def test_channels_that_the_address_names_are_written_into_it(address, drafted_as):
    frames = tuple(
        Frame(payload=json.dumps({"symbol": symbol, "n": n, "ts": 1_795_770_000_000 + n}).encode())
        for n in range(9)
        for symbol in ("BTCUSD", "ETHUSD")
    )
    draft = drafted(Session(url=f"ws://h:1{address}", frames=frames), "venue")
    is_named = "{" in drafted_as

    assert "{scheme}://{host}:{port}" + drafted_as == draft.sections["ws"]["url"]
    assert is_named == ("idle_channel" in draft.sections["ws"])
    assert is_named == ("the address names what is followed" in draft.doubts.get("ws", ""))
    assert [] == list(findings(dialect_of(draft)))
