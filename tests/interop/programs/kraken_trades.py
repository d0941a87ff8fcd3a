"""python-kraken-sdk follows trades for a while: kraken_trades.py kraken PORT SECONDS; prints what it read."""

import asyncio
import json
import sys

from kraken.spot import SpotWSClient

PORT, SECONDS = int(sys.argv[2]), float(sys.argv[3])
found = {"updates": 0, "gaps": 0, "wrong": []}


async def hear(message):
    if message.get("channel") == "trade":
        found["updates"] += len(message["data"])
    elif "error" in message:
        found["wrong"].append(str(message)[:200])


async def main():
    client = SpotWSClient(callback=hear, ws_url=f"ws://127.0.0.1:{PORT}")
    await client.start()
    await client.subscribe(params={"channel": "trade", "symbol": ["BTC/USD"]})
    await asyncio.sleep(SECONDS)
    await client.close()


asyncio.run(main())
print(json.dumps(found))
