"""The fastest WebSocket client for Python, on uvloop, parsing every message with orjson.

picows_client.py PORT CONNECTIONS SECONDS        prints its figures as JSON
"""

import asyncio
import sys
import time

import orjson
import uvloop
from figures import Figures
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from capacity.loadgen.wire.process_limits import raise_descriptor_limit

SETTLE_S = 2.0


class Listener(WSListener):
    figures = Figures()

    def __init__(self) -> None:
        self.last = None

    def on_ws_frame(self, _transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            return
        data = orjson.loads(frame.get_payload_as_memoryview())["params"]["data"]
        delay_us = int(time.time() * 1e6) - data["ts"]
        figures = self.figures
        figures.messages += 1
        figures.delays.add(max(0, delay_us))
        if self.last is not None and data["seq"] != self.last + 1:
            figures.gaps += 1
        self.last = data["seq"]


async def measure(port: int, connections: int, seconds: float) -> Figures:
    opened = [await ws_connect(Listener, f"ws://127.0.0.1:{port}/") for _ in range(connections)]
    await asyncio.sleep(SETTLE_S)
    Listener.figures.begin()
    await asyncio.sleep(seconds)
    Listener.figures.end(len(opened))
    for transport, _listener in opened:
        transport.disconnect()
    return Listener.figures


if __name__ == "__main__":
    raise_descriptor_limit()
    port_text, connections_text, seconds_text = sys.argv[1:]
    uvloop.run(measure(int(port_text), int(connections_text), float(seconds_text))).print()
