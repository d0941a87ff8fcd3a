"""python-kraken-sdk keeps a book for a while: kraken_order_book.py kraken PORT SECONDS.

Prints the updates that it read, the checksums that did not fit, and the numbers of those updates.
"""

import asyncio
import json
import sys
from functools import partialmethod

from kraken.spot import Market, SpotOrderBookClient, SpotWSClient

PORT, SECONDS = int(sys.argv[2]), float(sys.argv[3])
found = {"updates": 0, "gaps": 0, "places": [], "wrong": []}
SpotWSClient.__init__ = partialmethod(SpotWSClient.__init__, ws_url=f"ws://127.0.0.1:{PORT}")


class Here(SpotOrderBookClient):
    last = 0

    async def on_book_update(self, pair, message):
        if "error" in message:
            found["gaps"] += 1
            found["places"].append(self.last)
            return
        found["updates"] += 1
        (told,) = message["data"]
        self.last = round(100 * (told["bids"] + told["asks"])[0]["qty"])


async def main():
    client = Here(depth=10)
    client._SpotOrderBookClient__market = Market(url=f"http://127.0.0.1:{PORT}")
    await client.start()
    await client.add_book(pairs=["BTC/USD"])
    await asyncio.sleep(SECONDS)
    await client.close()


asyncio.run(main())
print(json.dumps(found))
