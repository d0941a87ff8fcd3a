"""Passes WebSocket messages and requests on to a server, and drops every so-manieth update of a channel.

Both a referee and our own client are led through it, so that both miss the same of what the server sent.
gap_relay.py TARGET_PORT EVERY [CERTIFICATE]; prints its port, and one for TLS where it has a certificate
(a file that holds the key too). GET /dropped?channel=NAME tells what it dropped of a channel.
"""

import asyncio
import json
import ssl
import sys

import aiohttp
from aiohttp import web

TARGET, EVERY = int(sys.argv[1]), int(sys.argv[2])
SKIPPED_HEADERS = {"host", "connection", "upgrade", "content-length", "transfer-encoding"}
dropped: list[str] = []
seen: dict[str, dict[int, bool]] = {}
"""Channel -> number of a change -> whether it is dropped, for all connections alike."""


def is_dropped(channel: str, change: dict) -> bool:
    """Tell whether a change is one of those that nobody gets."""
    if not EVERY or not channel.startswith("book.") or change["type"] == "snapshot":
        return False
    numbers, number = seen.setdefault(channel, {}), change["change_id"]
    if number not in numbers:
        numbers[number] = (len(numbers) + 1) % EVERY == 0
        if numbers[number]:
            dropped.append(f"{channel} {number}")
    return numbers[number]


async def pump_up(here: web.WebSocketResponse, there: aiohttp.ClientWebSocketResponse) -> None:
    async for message in here:
        if message.type is aiohttp.WSMsgType.TEXT:
            await there.send_str(message.data)
    await there.close()


async def relayed(request: web.Request) -> web.WebSocketResponse:
    """Pass one connection on, but for what is dropped."""
    here = web.WebSocketResponse()
    await here.prepare(request)
    url = f"http://127.0.0.1:{TARGET}{request.path_qs}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as there:
        task = asyncio.create_task(pump_up(here, there))
        async for message in there:
            told = json.loads(message.data).get("params") or {}
            if "channel" in told and is_dropped(told["channel"], told["data"]):
                continue
            await here.send_str(message.data)
        await here.close()
        task.cancel()
    return here


async def asked(request: web.Request) -> web.StreamResponse:
    if request.path == "/dropped":
        channel = request.query.get("channel", "")
        return web.json_response([each for each in dropped if each.startswith(channel)])
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await relayed(request)
    headers = {k: v for k, v in request.headers.items() if k.lower() not in SKIPPED_HEADERS}
    url = f"http://127.0.0.1:{TARGET}{request.path_qs}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(request.method, url, headers=headers, data=await request.read()) as answer,
    ):
        return web.Response(
            status=answer.status, body=await answer.read(), content_type=answer.content_type
        )


async def main() -> None:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", asked)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3])
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    for _host, port in runner.addresses:
        print(port, flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
