"""uvicorn, with a bare ASGI application."""

import asyncio

import uvicorn
from venue import Venue, arguments, listen, publish, ready

options = arguments()
venue, clients = Venue(options), set()


class Client:
    def __init__(self, send):
        self.send, self.channels = send, set()


async def application(scope, receive, send):
    if scope["type"] == "http":
        body = venue.snapshot().encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
    elif scope["type"] == "websocket":
        await receive()
        if not venue.admits():
            await send({"type": "websocket.close"})
            return
        client, state = Client(send), venue.enter()
        await send({"type": "websocket.accept"})
        clients.add(client)
        try:
            while (message := await receive())["type"] == "websocket.receive":
                reply = venue.answer(message["text"], client.channels)
                await send({"type": "websocket.send", "text": reply})
        finally:
            clients.discard(client)
            venue.leave()
            del state


async def main():
    sock = listen(options)
    config = uvicorn.Config(
        application,
        lifespan="off",
        log_level="critical",
        backlog=options.backlog,
        ws="websockets-sansio",
        ws_per_message_deflate=options.deflate,
        ws_ping_interval=None,
    )
    serving = asyncio.create_task(uvicorn.Server(config).serve([sock]))
    ready(sock.getsockname()[1])
    pending = set()

    def send(client, text):
        task = asyncio.ensure_future(client.send({"type": "websocket.send", "text": text}))
        pending.add(task)
        task.add_done_callback(done)

    def done(task):
        pending.discard(task)
        task.exception()

    publishing = asyncio.create_task(publish(venue, clients, send))
    await serving
    publishing.cancel()


asyncio.run(main())
