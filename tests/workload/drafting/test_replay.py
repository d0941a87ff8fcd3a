"""A dialect over a recording."""

import json
from dataclasses import replace

import pytest

from capacity.settings.dialect import load_dialect, parse
from capacity.settings.locate import shipped
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.drafting.recorded_session import Frame
from capacity.workload.drafting.replay import Replay


def shipped_dialect(name) -> Dialect:
    return load_dialect(shipped("config") / "dialects" / f"{name}.yaml")


def counts(dialect, frames):
    replay = Replay(dialect, frames)
    for _ in replay.run():
        pass
    return replay.counts


@pytest.mark.parametrize(
    ("name", "updates"),
    [
        ("okx", {"books:BTC-USDT": 10, "books:ETH-USDT": 10}),
        ("kraken", {"book:BTC/USD": 10, "book:ETH/USD": 10}),
        ("binance", {"btcusdt@depth@100ms": 10, "bnbbtc@depth@100ms": 10}),
    ],
)
def test_a_shipped_dialect_understands_a_recording_of_its_venue(session, name, updates):
    found = counts(shipped_dialect(name), session(name).frames)

    assert updates == dict(found.updates)
    assert ({}, 0, 20) == (found.problems, found.missed, found.timed)


@pytest.mark.parametrize(
    ("name", "updates"),
    [
        ("gate", {"spot.trades:BTC_USDT": 10, "spot.order_book_update:ETH_USDT": 10}),
        ("bitfinex", {"trades:tBTCUSD": 3, "ticker:tBTCUSD": 3, "account": 3}),
    ],
)
def test_requests_from_parts_of_a_channel_are_recognized(session, name, updates):
    found = counts(shipped_dialect(name), session(name).frames)
    total = sum(updates.values())

    assert updates == dict(found.updates)
    assert ({}, 0, total, total) == (found.problems, found.missed, found.timed, found.numbered)


def test_a_heartbeat_left_out_is_missed_where_the_connection_is_numbered(session):
    frames = [frame for frame in session("bitfinex").frames if b'"hb"' not in frame.payload]

    assert 3 == counts(shipped_dialect("bitfinex"), frames).missed


def test_a_recording_without_its_client_is_understood_too(session):
    frames = [frame for frame in session("okx").frames if not frame.is_ours]
    found = counts(shipped_dialect("okx"), frames)

    assert 20 == sum(found.updates.values())
    assert "unmatched" not in found.kinds


def test_an_update_left_out_is_missed(session):
    frames = list(session("binance").frames)
    del frames[10]

    assert 1 == counts(shipped_dialect("binance"), frames).missed


def test_the_wrong_dialect_is_counted_by_class_with_the_first_frame(session):
    found = counts(shipped_dialect("deribit"), session("binance").frames)
    (name,) = found.problems

    assert "no rule fits" == name
    assert 20 == found.problems[name].times
    assert found.problems[name].first.startswith('{"stream"')


def test_a_refusal_is_told():
    frames = [
        Frame(payload=b'{"method":"SUBSCRIBE","params":["x"],"id":7}', is_ours=True),
        Frame(payload=b'{"code":2,"msg":"Invalid","id":7}'),
    ]
    found = counts(shipped_dialect("binance"), frames)

    assert {"rejected": 1} == dict(found.kinds)
    assert "Invalid" in found.problems["refused subscribe"].first


def test_answers_to_other_requests_of_the_client_confirm_nothing():
    frames = [
        Frame(payload=b'{"jsonrpc":"2.0","id":1,"method":"public/test","params":{}}', is_ours=True),
        Frame(
            payload=b'{"jsonrpc":"2.0","id":2,"method":"public/subscribe",'
            b'"params":{"channels":["quote.BTC"]}}',
            is_ours=True,
        ),
        Frame(payload=b'{"id":1,"result":{}}'),
        Frame(payload=b'{"id":2,"result":["quote.BTC"]}'),
    ]

    assert {"ignored": 1, "ack": 1} == dict(counts(shipped_dialect("deribit"), frames).kinds)


def test_several_requests_are_answered_one_after_the_other():
    def ask(number, name):
        args = [{"channel": "books", "instId": name}]
        return Frame(payload=json.dumps({"op": "subscribe", "args": args}).encode(), is_ours=True)

    def told(name, **more):
        arg = {"channel": "books", "instId": name}
        return Frame(payload=json.dumps({"arg": arg, **more}).encode())

    frames = [ask(1, "A"), told("A", event="subscribe"), ask(2, "B"), told("B", event="subscribe")]
    frames.append(told("B", data=[{"ts": "1", "seqId": 1, "prevSeqId": -1}], action="snapshot"))
    found = counts(shipped_dialect("okx"), frames)

    assert {"ack": 2, "data": 1} == dict(found.kinds)


def test_delays_are_by_both_clocks():
    dialect = parse(
        {
            "dialect": 1,
            "name": "x",
            "ws": {"url": "ws://h/"},
            "channels": {"all": {"wire": "all"}},
            "data": {"where": {}},
            "time": {"path": "t", "unit": "s"},
        }
    )
    frame = Frame(payload=b'{"t": 10.0}', at_s=10.25)

    assert [0.25] == counts(dialect, [frame]).delays_s
    assert [] == counts(dialect, [replace(frame, at_s=None)]).delays_s
