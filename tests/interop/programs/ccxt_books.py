"""ccxt.pro follows one book for a while: ccxt_books.py VENUE PORT SECONDS; prints updates and gaps that it found."""

import asyncio
import json
import sys
import time

import ccxt.pro
from ccxt.base.errors import ChecksumError, InvalidNonce

VENUE, PORT, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
HTTP, WS = f"http://127.0.0.1:{PORT}", f"ws://127.0.0.1:{PORT}"
SYMBOLS = {"deribit": "BTC/USD:BTC"}


def market(exchange, wire):
    limits = {key: {"min": None, "max": None} for key in ("amount", "price", "cost", "leverage")}
    kinds = dict.fromkeys(("swap", "future", "option", "contract"), False)
    unknown = dict.fromkeys(("settle", "linear", "inverse"))
    names = {
        "symbol": "BTC/USDT",
        "base": "BTC",
        "quote": "USDT",
        "baseId": "BTC",
        "quoteId": "USDT",
    }
    precision = {"amount": 0.0001, "price": 0.1}
    own = {"id": wire, "lowercaseId": wire.lower(), "type": "spot", "spot": True, "active": True}
    told = {"info": {}, "precision": precision, "limits": limits}
    exchange.set_markets([own | names | kinds | unknown | told])


def new():
    exchange = getattr(ccxt.pro, VENUE)({"enableRateLimit": False, "newUpdates": True})
    if VENUE == "deribit":
        exchange.urls["api"]["rest"] = HTTP
        exchange.urls["api"]["ws"] = f"{WS}/ws/api/v2"
    elif VENUE == "binance":
        for key in ("public", "private", "v1"):
            exchange.urls["api"][key] = f"{HTTP}/api/v3"
        exchange.urls["api"]["ws"]["spot"] = f"{WS}/ws"
        exchange.options["fetchMarkets"] = {"types": ["spot"]}
        market(exchange, "BTCUSDT")
    elif VENUE == "okx":
        exchange.urls["api"]["ws"] = f"{WS}/ws/v5"
        exchange.options["watchOrderBook"] = {"depth": "books", "checksum": False}
        market(exchange, "BTC-USDT")
    else:
        exchange.urls["api"]["ws"]["public"]["spot"] = f"{WS}/v5/public/spot"
        market(exchange, "BTCUSDT")
    return exchange


async def main():
    exchange, updates, gaps, wrong = new(), 0, 0, []
    ends_s = time.monotonic() + SECONDS
    while time.monotonic() < ends_s:
        try:
            left_s = max(0.1, ends_s - time.monotonic())
            symbol = SYMBOLS.get(VENUE, "BTC/USDT")
            await asyncio.wait_for(exchange.watch_order_book(symbol), left_s)
            updates += 1
        except (ChecksumError, InvalidNonce):
            gaps += 1
        except TimeoutError:
            break
        except Exception as error:  # noqa: BLE001 - whatever it says is told
            wrong.append(f"{type(error).__name__}: {error}"[:200])
            await asyncio.sleep(0.2)
            if len(wrong) > 5:
                break
    await exchange.close()
    print(json.dumps({"updates": updates, "gaps": gaps, "wrong": wrong[:2]}))


asyncio.run(main())
