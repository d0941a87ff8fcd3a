"""cryptofeed keeps a book for a while: cryptofeed_kraken.py kraken PORT SECONDS TLS_PORT CERTIFICATE.

It speaks version 1. Requests go to PORT; its WebSockets must be encrypted. Prints the updates that it read,
the checksums that did not fit, and the numbers of those updates.
"""

import asyncio
import json
import os
import sys

from cryptofeed import FeedHandler
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.defines import L2_BOOK
from cryptofeed.exceptions import BadChecksum
from cryptofeed.exchanges import Kraken

PORT, SECONDS, TLS_PORT = int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
os.environ["SSL_CERT_FILE"] = sys.argv[5]
found = {"updates": 0, "gaps": 0, "places": [], "wrong": []}

Kraken.websocket_endpoints = [WebsocketEndpoint(f"wss://127.0.0.1:{TLS_PORT}")]
Kraken.rest_endpoints = [
    RestEndpoint(f"http://127.0.0.1:{PORT}", routes=Routes("/0/public/AssetPairs"))
]


class Here(Kraken):
    async def message_handler(self, msg, conn, timestamp):
        try:
            await super().message_handler(msg, conn, timestamp)
        except BadChecksum:
            found["gaps"] += 1
            content = json.loads(msg)[1]
            found["places"].append(round(100 * float((content.get("a") or content["b"])[0][1])))
            raise


async def keep(_book, _at):
    found["updates"] += 1


handler = FeedHandler(config={"log": {"disabled": True}})
asyncio.set_event_loop(loop := asyncio.new_event_loop())
handler.add_feed(
    Here(
        config=handler.config,
        symbols=["BTC-USD"],
        channels=[L2_BOOK],
        callbacks={L2_BOOK: keep},
        max_depth=10,
        checksum_validation=True,
    )
)
handler.run(start_loop=False, install_signal_handlers=False)
loop.call_later(SECONDS, loop.stop)
loop.run_forever()
print(json.dumps(found), flush=True)
os._exit(0)  # It would wait for connections that come back.
