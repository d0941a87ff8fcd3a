"""pybit keeps one book for a while: pybit_books.py bybit PORT SECONDS; prints what it read."""

import json
import sys
import time

import pybit.unified_trading
from pybit.unified_trading import WebSocket

PORT, SECONDS = int(sys.argv[2]), float(sys.argv[3])
pybit.unified_trading.PUBLIC_WSS = f"ws://127.0.0.1:{PORT}/v5/public/{{CHANNEL_TYPE}}"
updates = []
socket = WebSocket(channel_type="linear", testnet=False)
socket.orderbook_stream(50, "BTCUSDT", updates.append)
time.sleep(SECONDS)
socket.exit()
print(json.dumps({"updates": len(updates), "gaps": 0}))
