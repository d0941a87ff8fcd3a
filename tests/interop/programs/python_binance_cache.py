"""python-binance's depth cache keeps one book for a while: python_binance_cache.py PORT SECONDS.

Prints the updates that it read; the numbers of those that it laid beside the update before, and of those among
them before which it missed one and began anew; how often its book was the one that REST had under the same number, and how often not.
"""

import asyncio
import json
import sys
import time

from binance import AsyncClient, BinanceSocketManager
from binance.ws.depthcache import DepthCacheManager

PORT, SECONDS = int(sys.argv[1]), float(sys.argv[2])
AsyncClient.API_URL = f"http://127.0.0.1:{PORT}/api"
BinanceSocketManager.STREAM_URL = f"ws://127.0.0.1:{PORT}/"
SYMBOL = "BTCUSDT"
COMPARED_EACH_S = 0.5
found = {"updates": 0, "checked": [], "places": [], "same": 0, "different": 0, "wrong": []}


class Here(DepthCacheManager):
    begun, followed = 0, None
    """How often it asked for the book, and the number of the last update."""

    async def _init_cache(self):
        self.begun += 1
        await super()._init_cache()

    async def _process_depth_message(self, msg):
        before, begun = self._last_update_id, self.begun
        kept = await super()._process_depth_message(msg)
        if before is not None and msg["u"] > before:
            # It begins anew as well where the first update after a snapshot begins before it: no gap.
            if before == self.followed:
                found["checked"].append(msg["u"])
                if self.begun > begun:
                    found["places"].append(msg["u"])
            self.followed = msg["u"]
            found["updates"] += 1
        return kept


async def compare(client, manager):
    """Lay the book beside that of REST, where both have the same number."""
    while True:
        await asyncio.sleep(COMPARED_EACH_S)
        told = await client.get_order_book(symbol=SYMBOL, limit=5000)
        if told["lastUpdateId"] == manager._last_update_id == manager.followed:
            cache = manager.get_depth_cache()
            sides = {"bids": cache.get_bids(), "asks": cache.get_asks()}
            is_same = all(
                kept == [[float(price), float(amount)] for price, amount in told[side]]
                for side, kept in sides.items()
            )
            found["same" if is_same else "different"] += 1


async def main():
    client = AsyncClient("", "")
    manager = Here(client, SYMBOL, limit=5000, ws_interval=100)
    ends_s = time.monotonic() + SECONDS
    async with manager:
        comparing = asyncio.create_task(compare(client, manager))
        while time.monotonic() < ends_s:
            try:
                await asyncio.wait_for(manager.recv(), max(0.1, ends_s - time.monotonic()))
            except TimeoutError:
                break
        comparing.cancel()
        (outcome,) = await asyncio.gather(comparing, return_exceptions=True)
        if not isinstance(outcome, asyncio.CancelledError):
            found["wrong"].append(repr(outcome)[:200])
    await client.close_connection()
    print(json.dumps(found))


asyncio.run(main())
