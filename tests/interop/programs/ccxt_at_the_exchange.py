"""ccxt.pro keeps book, ticker and trades for a while: ccxt_at_the_exchange.py PORT SECONDS.

Prints the updates of the book that it read; the numbers of those that it laid beside the update before, and of
those among them before which it missed one; how often its book was the one that REST had under the same number, and how often not; trades, those
that are missing by their ids, and tickers.
"""

import asyncio
import json
import sys

import ccxt.pro
from ccxt.base.errors import ChecksumError

PORT, SECONDS = int(sys.argv[1]), float(sys.argv[2])
HTTP, WS = f"http://127.0.0.1:{PORT}", f"ws://127.0.0.1:{PORT}"
SYMBOL = "BTC/USDT"
COMPARED_EACH_S = 0.5
MOST_WRONG = 5
seen = set()
found = {"updates": 0, "checked": [], "places": [], "same": 0, "different": 0, "wrong": []}
found |= {"trades": 0, "trades_missing": 0, "tickers": 0}


class Here(ccxt.pro.binance):
    def is_spot_url(self, _client):
        """Return what it reads from the venue's own host names."""
        return True

    def handle_order_book(self, client, message):
        book = self.orderbooks.get(SYMBOL)
        before, number = None if book is None else book["nonce"], message["u"]
        super().handle_order_book(client, message)
        # A snapshot's number tells nothing of the update before.
        if before in seen and number > before:
            found["checked"].append(number)
            if SYMBOL not in self.orderbooks:
                found["places"].append(number)
        seen.add(number)


async def keep(of, follow):
    """Call *follow* with what comes, again and again; a gap that is found begins the book anew."""
    while len(found["wrong"]) < MOST_WRONG:
        try:
            follow(await of(SYMBOL))
        except ChecksumError:
            continue
        except Exception as error:  # noqa: BLE001 - whatever it says is told
            found["wrong"].append(f"{type(error).__name__}: {error}"[:200])
            await asyncio.sleep(0.2)


def count_book(_book):
    found["updates"] += 1


def count_ticker(ticker):
    found["tickers"] += 1
    if not ticker["low"] <= ticker["last"] <= ticker["high"]:
        found["wrong"].append(f"last price outside of the day: {ticker}"[:200])


def trade_counter():
    last = []

    def count(trades):
        for trade in trades:
            found["trades"] += 1
            found["trades_missing"] += bool(last) and int(trade["id"]) - last[-1] - 1
            last[:] = [int(trade["id"])]

    return count


async def compare(exchange):
    """Lay the book beside that of REST, where both have the same number."""
    while True:
        await asyncio.sleep(COMPARED_EACH_S)
        told = await exchange.fetch_order_book(SYMBOL, 1000)
        book = exchange.orderbooks.get(SYMBOL)
        if book is not None and book["nonce"] == told["nonce"]:
            is_same = all(list(book[side]) == told[side] for side in ("bids", "asks"))
            found["same" if is_same else "different"] += 1


async def main():
    exchange = Here({"enableRateLimit": False, "newUpdates": True})
    for key in ("public", "private", "v1"):
        exchange.urls["api"][key] = f"{HTTP}/api/v3"
    exchange.urls["api"]["ws"]["spot"] = f"{WS}/ws"
    exchange.options["fetchMarkets"] = {"types": ["spot"]}
    exchange.options["fetchCurrencies"] = False
    await exchange.load_markets()
    tasks = [
        asyncio.create_task(deed)
        for deed in (
            keep(exchange.watch_order_book, count_book),
            keep(exchange.watch_ticker, count_ticker),
            keep(exchange.watch_trades, trade_counter()),
            compare(exchange),
        )
    ]
    await asyncio.wait(tasks, timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            found["wrong"].append(repr(outcome)[:200])
    await exchange.close()
    print(json.dumps(found))


asyncio.run(main())
