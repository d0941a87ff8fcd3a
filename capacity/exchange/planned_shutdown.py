"""A planned shutdown as venues do it: a notice to everybody, some time to leave, then a close."""

import asyncio
from collections.abc import Collection

import orjson

from capacity.exchange.frames import text_frame
from capacity.exchange.peer import GOING_AWAY, Peer

SERVICE_RESTART = 1012
"""In IANA's registry of WebSocket close codes."""
WORDS = {GOING_AWAY: "shutting down", SERVICE_RESTART: "service restart"}
"""Close codes that a shutdown may have, each with its reason."""


def notice(closes_in_s: float) -> bytes:
    """Return the frame that says so in Deribit's dialect."""
    said = {
        "type": "shutdown",
        "closes_in_s": closes_in_s,
        "message": "The connection will soon be closed for a service restart. Please reconnect.",
    }
    return text_frame(orjson.dumps({"jsonrpc": "2.0", "method": "notice", "params": said}))


async def give_notice(sessions: Collection[Peer], grace_s: float) -> None:
    """Tell all *sessions*, and serve them for *grace_s* more."""
    for session in list(sessions):
        session.notify(session.shutdown_notice(grace_s))
    await asyncio.sleep(grace_s)
