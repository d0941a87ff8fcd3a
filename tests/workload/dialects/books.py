"""Books and their checksums."""

import random
import zlib

import orjson

from capacity.settings.dialect import parse
from capacity.workload.conversation import Conversation
from capacity.workload.dialects.compiled import compile_dialect

# OKX, API v5, order book channel, checksum: both sides alike, and one longer than the other.
OKX_EXAMPLES = (
    ([("3366.1", "7"), ("3366", "6")], [("3366.8", "9"), ("3368", "8")], -1881014294),
    ([("3366.1", "7")], [("3366.8", "9"), ("3368", "8"), ("3372", "8")], 831078360),
)
KRAKEN = {"form": "kraken", "depth": "depth", "price": "price", "size": "qty"}
OKX = {"form": "okx", "depth": 400}


def feed(book, *, numbers=(), **changes):
    """Return a conversation that follows a and b of a dialect with that book."""
    rule = {"rule": "checksum", "snapshot": {"where": {"type": "snapshot"}}, "book": book} | changes
    described = {
        "dialect": 1,
        "name": "books",
        "ws": {"url": "ws://{host}:{port}/"},
        "channels": {"book": {"wire": "{symbol}", "request": {"symbol": "{symbol}", "depth": 10}}},
        "subscribe": {"send": {"sub": "{channels:list}"}, "confirm": "none"},
        "data": {"where": {"ch": {"exists": True}}, "key": "ch", "items": "data"},
        "time": {"path": "ts", "unit": "ms"},
        "sequence": [rule, *numbers],
    }
    talk = Conversation(compile_dialect(parse(described)), ("a", "b"))
    talk.subscribe()
    return talk


def message(bids, asks, checksum, kind="update", channel="a"):
    """Return an update as Kraken writes it: numbers with all their digits."""
    sides = [
        ",".join(f'{{"price":{price},"qty":{size}}}' for price, size in side)
        for side in (bids, asks)
    ]
    return (
        f'{{"ch":"{channel}","type":"{kind}","data":[{{"ts":1700000000000,"bids":[{sides[0]}],'
        f'"asks":[{sides[1]}],"checksum":{checksum}}}]}}'
    ).encode()


def texts(bids, asks, checksum, kind="update", **more):
    """Return an update as OKX writes it: texts, with more in a level than price and size."""
    sides = {"bids": [[*one, "0", "1"] for one in bids], "asks": [[*one, "0", "1"] for one in asks]}
    item = {"ts": 1700000000000, "checksum": checksum, **sides, **more}
    return orjson.dumps({"ch": "a", "type": kind, "data": [item]})


def outcome(reception):
    return reception.missed, reception.numbered, reception.mismatched, reception.problem


FITS, UNKNOWN = (0, 1, 0, None), (0, 0, 0, None)


class Market:
    """A book that is changed by chance, and what a venue would send of it; it keeps 14 levels a side."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.bids = {100 - n: n + 1 for n in range(14)}
        self.asks = {101 + n: n + 1 for n in range(14)}

    def best(self):
        return sorted(self.bids, reverse=True)[:10], sorted(self.asks)[:10]

    def message(self, kind="update"):
        before = [{price: side[price] for price in best} for side, best in self.sides()]
        if kind == "update":
            for side in (self.bids, self.asks):
                price = self.chance.choice(sorted(side)[:3] + sorted(side)[-3:])
                if len(side) > 11 and self.chance.random() < 0.4:
                    del side[price]
                else:
                    side[price + self.chance.choice((0, 0.5 if side is self.asks else -0.5))] = (
                        self.chance.randint(1, 10**9)
                    )
        else:
            before = [{}, {}]
        changed = []
        for old, (side, best) in zip(before, self.sides(), strict=True):
            new = [(price, side[price]) for price in best if old.get(price) != side[price]]
            # What fell out of the best levels by insertion is not told; what was taken away is.
            gone = [(price, 0) for price in old if price not in side]
            changed.append([(f"{price:.1f}", f"{size / 1e8:.8f}") for price, size in gone + new])
        return message(*changed, self.checksum(), kind)

    def sides(self):
        bids, asks = self.best()
        return (self.bids, bids), (self.asks, asks)

    def checksum(self):
        (bid, bids), (ask, asks) = self.sides()
        text = "".join(
            f"{price:.1f}".replace(".", "").lstrip("0") + str(size)
            for side, best in ((ask, asks), (bid, bids))
            for price, size in ((price, side[price]) for price in best)
        )
        return zlib.crc32(text.encode())
