"""Kraken and Coinbase, as their documentation shows them."""

import runpy
from pathlib import Path

TOLD = runpy.run_path(str(Path(__file__).with_name("story.py")))
Story = TOLD["Story"]
DATA = TOLD["DATA"]
ACK = TOLD["ACK"]
HEARTBEAT = TOLD["HEARTBEAT"]
IGNORED = TOLD["IGNORED"]
REJECTED = TOLD["REJECTED"]


def coinbase_advanced(channel, number, event):
    return {
        "channel": channel,
        "client_id": "",
        "timestamp": "2023-02-09T20:32:50.714964855Z",
        "sequence_num": number,
        "events": [event],
    }


def kraken_ack(request, **result):
    return {"method": "subscribe", "req_id": request, "result": result, "success": True}


def coinbase_match(trade_id, kind="match"):
    at = "2014-11-07T08:19:27.028459Z"
    return {"type": kind, "trade_id": trade_id, "product_id": "BTC-USD", "time": at}


STORIES = (
    Story(
        name="kraken",
        follows=(("book", "MATIC/USD"), ("trade", "MATIC/USD")),
        says=(),
        hears=(
            (
                {"channel": "status", "type": "update", "data": [{"system": "online"}]},
                ACK,
                (
                    {
                        "method": "subscribe",
                        "params": {"channel": "book", "symbol": ["MATIC/USD"], "depth": 10},
                        "req_id": 1,
                    },
                    {
                        "method": "subscribe",
                        "params": {"channel": "trade", "symbol": ["MATIC/USD"]},
                        "req_id": 2,
                    },
                ),
            ),
            (kraken_ack(2, channel="trade", symbol="MATIC/USD"), ACK, ()),
            (kraken_ack(1, channel="book", symbol="MATIC/USD"), ACK, ()),
            ({"channel": "heartbeat"}, HEARTBEAT, ()),
            (
                {
                    "channel": "trade",
                    "type": "update",
                    "data": [
                        {
                            "symbol": "MATIC/USD",
                            "trade_id": number,
                            "timestamp": "2023-10-06T17:35:55.440295Z",
                        }
                        for number in (7, 9)
                    ],
                },
                DATA,
                1,
            ),
            (
                {
                    "channel": "book",
                    "type": "update",
                    "data": [
                        {
                            "symbol": "MATIC/USD",
                            "bids": [{"price": 0.5657, "qty": 1098.39}],
                            "checksum": 2114181697,
                            "timestamp": "2023-10-06T17:35:55.440295Z",
                        }
                    ],
                },
                DATA,
                0,
            ),
        ),
        published_at=1696613755.440295,
    ),
    Story(
        name="coinbase-exchange",
        follows=(("matches", "BTC-USD"), ("ticker", "BTC-USD")),
        says=(
            {
                "type": "subscribe",
                "channels": [
                    {"name": "matches", "product_ids": ["BTC-USD"]},
                    {"name": "ticker", "product_ids": ["BTC-USD"]},
                ],
            },
        ),
        hears=(
            ({"type": "subscriptions", "channels": [{"name": "matches"}]}, ACK, ()),
            (coinbase_match(10, "last_match"), DATA, 0),
            (coinbase_match(11), DATA, 0),
            (coinbase_match(13), DATA, 1),
        ),
        published_at=1415348367.028459,
    ),
    Story(
        name="coinbase-exchange",
        follows=(("level2", "NO-USD"),),
        says=(
            {
                "type": "subscribe",
                "channels": [{"name": "level2_batch", "product_ids": ["NO-USD"]}],
            },
        ),
        hears=(
            (
                {
                    "type": "error",
                    "message": "Failed to subscribe",
                    "reason": "NO-USD is not valid",
                },
                REJECTED,
                (),
            ),
        ),
    ),
    Story(
        name="coinbase-advanced",
        follows=(("level2", "BTC-USD"), ("ticker", "BTC-USD")),
        says=(
            {"type": "subscribe", "channel": "heartbeats"},
            {"type": "subscribe", "product_ids": ["BTC-USD"], "channel": "level2"},
            {"type": "subscribe", "product_ids": ["BTC-USD"], "channel": "ticker"},
        ),
        hears=(
            (
                coinbase_advanced("subscriptions", 0, {"subscriptions": {"level2": ["BTC-USD"]}}),
                ACK,
                (),
            ),
            (coinbase_advanced("l2_data", 1, {"product_id": "BTC-USD", "updates": []}), DATA, 0),
            (coinbase_advanced("heartbeats", 2, {"heartbeat_counter": 1}), HEARTBEAT, ()),
            (coinbase_advanced("subscriptions", 3, {"subscriptions": {}}), ACK, ()),
            (coinbase_advanced("subscriptions", 4, {"subscriptions": {}}), IGNORED, ()),
            (coinbase_advanced("ticker", 5, {"tickers": [{"product_id": "BTC-USD"}]}), DATA, 0),
        ),
        published_at=1675974770.714964,
    ),
)
