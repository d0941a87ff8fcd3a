"""aiohttp."""

import asyncio
import contextlib

from aiohttp import WSCloseCode, web
from venue import Venue, arguments, listen, publish, ready, tls_context


class Client:
    def __init__(self, ws, transport):
        self.ws, self.transport, self.channels = ws, transport, set()


async def main():
    options = arguments()
    venue, clients = Venue(options), set()

    async def follow(request):
        if not venue.admits():
            return web.Response(status=503)
        ws = web.WebSocketResponse(compress=options.deflate, autoping=True)
        await ws.prepare(request)
        client, state = Client(ws, request.transport), venue.enter()
        clients.add(client)
        try:
            async for message in ws:
                await ws.send_str(venue.answer(message.data, client.channels))
        finally:
            clients.discard(client)
            venue.leave()
            del state
            with contextlib.suppress(ConnectionError):
                await ws.close(code=WSCloseCode.OK)
        return ws

    async def snapshot(_request):
        return web.Response(text=venue.snapshot(), content_type="application/json")

    def send(client, text):
        if not venue.has_room(client.transport):
            return
        frame = client.ws.send_str(text)
        try:
            frame.send(None)  # Written at once unless the client's buffer is full.
        except (StopIteration, ConnectionError):
            return
        frame.close()

    app = web.Application()
    app.add_routes([web.get("/ws", follow), web.get("/snapshot", snapshot)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    sock = listen(options)
    site = web.SockSite(runner, sock, backlog=options.backlog, ssl_context=tls_context(options))
    await site.start()
    ready(sock.getsockname()[1])
    await publish(venue, clients, send)


asyncio.run(main())
