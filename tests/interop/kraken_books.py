"""A book on Kraken in both versions of its protocol, with a checksum in each update.

Ten levels a side; an update changes one of the best seven, and its size tells its number: hundredths. Fourteen
updates later it is changed again, so that who missed one is right again soon.
"""

import json
import zlib
from datetime import UTC, datetime

LEVELS, CHANGED = 10, 7
sizes = {side: dict.fromkeys(range(LEVELS), "1.00000000") for side in ("bids", "asks")}


def now_rfc3339() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _price(side: str, level: int) -> str:
    away = level + 1
    return f"{(500_000 + (away if side == 'asks' else -away)) / 10:.1f}"


def change(number: int) -> tuple[str, int]:
    """Change one level, of a side in turns, and return which."""
    side, level = ("bids", "asks")[number % 2], number // 2 % CHANGED
    sizes[side][level] = f"{number / 100:.8f}"
    return side, level


def checksum() -> int:
    digits = [
        (_price(side, level) + " " + sizes[side][level]).replace(".", "").split()
        for side in ("asks", "bids")
        for level in range(LEVELS)
    ]
    return zlib.crc32("".join(price + size.lstrip("0") for price, size in digits).encode())


def second(symbol: str, changed: tuple[str, int] | None) -> str:
    """Return a change, or the snapshot without one, in version 2: numbers with all their digits."""
    told = {
        side: ",".join(
            f'{{"price":{_price(side, level)},"qty":{sizes[side][level]}}}'
            for level in range(LEVELS)
            if changed in {None, (side, level)}
        )
        for side in ("bids", "asks")
    }
    kind = "snapshot" if changed is None else "update"
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{symbol}","bids":[{told["bids"]}],'
        f'"asks":[{told["asks"]}],"checksum":{checksum()},"timestamp":"{now_rfc3339()}"}}]}}'
    )


def first(symbol: str, changed: tuple[str, int] | None) -> str:
    """Return the same in version 1: texts in lists; the snapshot has no checksum."""
    told = {
        side: [
            [_price(side, level), sizes[side][level], "1700000000.000000"]
            for level in range(LEVELS)
            if changed in {None, (side, level)}
        ]
        for side in ("bids", "asks")
    }
    if changed is None:
        content = {"as": told["asks"], "bs": told["bids"]}
    else:
        content = {changed[0][0]: told[changed[0]], "c": str(checksum())}
    return json.dumps([320, content, "book-10", symbol])


PAIRS = {
    "error": [],
    "result": {
        name: {"wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 8}
        for name in ("XXBTZUSD", "BTC/USD")
    },
}
