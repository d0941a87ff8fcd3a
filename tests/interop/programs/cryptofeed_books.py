"""cryptofeed keeps one book for a while: cryptofeed_books.py deribit PORT SECONDS TLS_PORT CERTIFICATE.

Requests go to PORT; its WebSockets must be encrypted. Prints the updates that it read and the gaps it found.
"""

import asyncio
import json
import os
import sys

from cryptofeed import FeedHandler
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.defines import L2_BOOK
from cryptofeed.exceptions import MissingSequenceNumber
from cryptofeed.exchanges import Deribit

PORT, SECONDS, TLS_PORT = int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
os.environ["SSL_CERT_FILE"] = sys.argv[5]
LISTED = [f"/api/v2/public/get_instruments?currency={name}" for name in ("BTC", "ETH")]
found = {"updates": 0, "gaps": 0, "wrong": []}


Deribit.websocket_endpoints = [WebsocketEndpoint(f"wss://127.0.0.1:{TLS_PORT}/ws/api/v2")]
Deribit.rest_endpoints = [RestEndpoint(f"http://127.0.0.1:{PORT}", routes=Routes(LISTED))]


class Here(Deribit):
    async def message_handler(self, msg, conn, timestamp):
        try:
            await super().message_handler(msg, conn, timestamp)
        except MissingSequenceNumber:
            found["gaps"] += 1
            raise


async def keep(_book, _at):
    found["updates"] += 1


handler = FeedHandler(
    config={"log": {"disabled": True}, "deribit": {"key_id": "me", "key_secret": "secret"}}
)
asyncio.set_event_loop(loop := asyncio.new_event_loop())
handler.add_feed(
    Here(
        config=handler.config,
        symbols=["BTC-USD-PERP"],
        channels=[L2_BOOK],
        callbacks={L2_BOOK: keep},
    )
)
handler.run(start_loop=False, install_signal_handlers=False)
loop.call_later(SECONDS, loop.stop)
loop.run_forever()
print(json.dumps(found), flush=True)
os._exit(0)  # It would wait for connections that come back.
