"""One update of each dialect, as native/pusher.c fills it in: the same book in the venue's own words."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

US, MS, NUMBER, BEFORE, RFC3339 = "\1" * 16, "\2" * 13, "\3" * 10, "\4" * 10, "\5" * 27
BYTES = 360
"""Of every frame; what a venue's words leave is filled with spaces."""
BOOK = '[["64250.5","1.25"],["64250.0","0.5"]]'
BOOKS = f'"bids":{BOOK},"asks":{BOOK}'
TICK = f'{{"ts":{MS},"seq":{NUMBER},{BOOKS}}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    channel: str
    symbol: str
    write: Callable[[str], str]
    """Spaces that fill the frame -> the frame."""
    dialect: str | None = None
    """Where it is not called like the row."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Sections in place of those that the dialect ships with."""

    def frame(self) -> bytes:
        return self.write(" " * (BYTES - len(self.write("")))).encode()


def _json(channel: str, symbol: str, text: str) -> Update:
    return Update(channel=channel, symbol=symbol, write=lambda spaces: text + spaces)


def _kraken_book(share: float) -> Update:
    """Return a book that never changes, so that its checksum fits; the first update begins it."""
    side = '{"price":64250.5,"qty":1.25},{"price":64250.0,"qty":0.5}'
    digits = "6425005" + "642505125" + "642505125" + "6425005"
    book = {"form": "kraken", "depth": 10, "price": "price", "size": "qty", "share": share}
    return Update(
        channel="book",
        symbol="BTC/USD",
        write=lambda spaces: (
            f'{{"channel":"book","type":"update","data":[{{"symbol":"BTC/USD","bids":[{side}],"asks":[{side}],'
            f'"checksum":{zlib.crc32(digits.encode())},"timestamp":"{RFC3339}"}}]}}{spaces}'
        ),
        dialect="kraken",
        changes={"sequence": [{"rule": "checksum", "book": book}]},
    )


UPDATES = {
    "json-push": _json("updates", "BTC", TICK),
    "deribit": _json(
        "book",
        "BTC-PERPETUAL",
        '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":{'
        f'"timestamp":{MS},"type":"change","prev_change_id":{BEFORE},"change_id":{NUMBER},'
        f'"instrument_name":"BTC-PERPETUAL",{BOOKS}}}}}}}',
    ),
    "binance": _json(
        "depth",
        "btcusdt",
        f'{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{MS},"s":"BTCUSDT","U":{NUMBER},'
        f'"u":{NUMBER},"b":{BOOK},"a":{BOOK}}}}}',
    ),
    "binance-futures": _json(
        "depth",
        "btcusdt",
        f'{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":{MS},"T":{MS},"s":"BTCUSDT",'
        f'"U":{NUMBER},"u":{NUMBER},"pu":{BEFORE},"b":{BOOK},"a":{BOOK}}}}}',
    ),
    "okx": _json(
        "books",
        "BTC-USDT",
        '{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{'
        f'"asks":{BOOK},"bids":{BOOK},"ts":"{MS}","seqId":{NUMBER},"prevSeqId":{BEFORE}}}]}}',
    ),
    "bybit": _json(
        "book",
        "BTCUSDT",
        f'{{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":{MS},"data":{{"s":"BTCUSDT","b":{BOOK},'
        f'"a":{BOOK},"u":{NUMBER},"seq":{NUMBER}}},"cts":{MS}}}',
    ),
    "kraken": _json(
        "trade",
        "BTC/USD",
        '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":64250.5,'
        f'"qty":1.25,"ord_type":"market","trade_id":{NUMBER},"timestamp":"{RFC3339}","book":{BOOK}}}]}}',
    ),
    "kraken, every book checked": _kraken_book(1.0),
    "kraken, one book in fifty checked": _kraken_book(0.02),
    "coinbase-exchange": _json(
        "matches",
        "BTC-USD",
        f'{{"type":"match","trade_id":{NUMBER},"sequence":{NUMBER},"product_id":"BTC-USD","size":"1.25",'
        f'"price":"64250.5","side":"sell","time":"{RFC3339}","book":{BOOK}}}',
    ),
    "coinbase-advanced": _json(
        "level2",
        "BTC-USD",
        f'{{"channel":"l2_data","client_id":"","timestamp":"{RFC3339}","sequence_num":{NUMBER},"events":[{{'
        f'"type":"update","product_id":"BTC-USD","updates":{BOOK}}}]}}',
    ),
    "hyperliquid": _json(
        "book",
        "BTC",
        f'{{"channel":"l2Book","data":{{"coin":"BTC","time":{MS},"levels":[{BOOK},{BOOK}]}}}}',
    ),
    "graphql": _json(
        "ticks", "BTC", f'{{"id":"BTC","type":"next","payload":{{"data":{{"tick":{TICK}}}}}}}'
    ),
    "phoenix": _json("updates", "BTC", f'["1","1","feed:BTC","update",{TICK}]'),
    "centrifugo": _json(
        "updates",
        "BTC",
        f'{{"push":{{"channel":"BTC","pub":{{"offset":{NUMBER},"data":{TICK}}}}}}}',
    ),
    "signalr": Update(
        channel="updates",
        symbol="BTC",
        write=lambda spaces: (
            '{"type":1,"target":"update","arguments":[{"symbol":"BTC",'
            f'"ts":{MS},"seq":{NUMBER},{BOOKS}}}]}}{spaces}\x1e'
        ),
    ),
    "socket-io": Update(
        channel="updates",
        symbol="BTC",
        write=lambda spaces: (
            f'42["update",{{"channel":"BTC","ts":{MS},"seq":{NUMBER},{BOOKS}}}]{spaces}'
        ),
    ),
    "stomp": Update(
        channel="updates",
        symbol="BTC",
        write=lambda spaces: (
            "MESSAGE\nsubscription:/topic/BTC\nmessage-id:1\ndestination:/topic/BTC\n\n"
            f"{TICK}{spaces}\0"
        ),
    ),
    "nats": Update(
        channel="updates",
        symbol="BTC",
        write=lambda spaces: f"MSG md.BTC 1 {len(TICK) + len(spaces):03}\r\n{TICK}{spaces}\r\n",
    ),
}
