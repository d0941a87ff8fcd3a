"""Conversations with Deribit or a small dialect, and the updates of a book."""

from pathlib import Path

import orjson

from capacity.settings.dialect import load_dialect, parse
from capacity.workload.conversation import Conversation, Kind
from capacity.workload.dialects.compiled import CompiledDialect, compile_dialect

DIALECTS = Path(__file__).parents[2] / "config" / "dialects"
BOOK = "book.BTC_USDC-PERPETUAL.100ms"
TICKER = "ticker.BTC-PERPETUAL.100ms"
TRADES = "trades.BTC-PERPETUAL.100ms"
DERIBIT = compile_dialect(load_dialect(DIALECTS / "deribit.yaml"))

PUSH = {
    "dialect": 1,
    "name": "push",
    "ws": {"url": "ws://{host}:{port}/"},
    "channels": {"a": {"wire": "{symbol}"}},
    "data": {"where": {"seq": {"exists": True}}, "key": "ch"},
    "sequence": [{"rule": "plus_one", "seq": "seq"}],
}


def dialect(**changes) -> CompiledDialect:
    return compile_dialect(parse(PUSH | changes))


def following(*channels: str) -> Conversation:
    """Return a Deribit conversation whose subscriptions to *channels* are confirmed."""
    conversation = Conversation(DERIBIT, channels)
    (frame,) = conversation.subscribe()
    answer = {"jsonrpc": "2.0", "id": orjson.loads(frame)["id"], "result": list(channels)}
    assert conversation.receive(orjson.dumps(answer)).kind is Kind.ACK
    return conversation


def update(channel: str, data: object) -> bytes:
    params = {"channel": channel, "data": data}
    return orjson.dumps({"jsonrpc": "2.0", "method": "subscription", "params": params})


def change(prev: int, this: int) -> bytes:
    data = {
        "type": "change",
        "timestamp": 1655395168086,
        "prev_change_id": prev,
        "change_id": this,
        "instrument_name": "BTC_USDC-PERPETUAL",
        "bids": [["new", 20977, 0.109], ["delete", 20975, 0]],
        "asks": [],
    }
    return update(BOOK, data)


def snapshot(this: int) -> bytes:
    data = {
        "type": "snapshot",
        "timestamp": 1655395057025,
        "change_id": this,
        "bids": [["new", 20987, 0.487]],
    }
    return update(BOOK, data)
