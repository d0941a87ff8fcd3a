"""The websockets library, one process or several that share a port."""

import asyncio
import http
import os

from venue import Venue, arguments, listen, publish, ready, tls_context
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State


class Client:
    def __init__(self, connection, *, starves):
        self.connection, self.channels, self.starves = connection, set(), starves


async def main(options, sock):
    venue, clients = Venue(options), set()

    def admit(connection, request):
        if request.path == "/snapshot":
            return connection.respond(http.HTTPStatus.OK, venue.snapshot())
        if not venue.admits():
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "full\n")
        return None

    async def follow(connection):
        if options.when_full == "send-away" and venue.is_full:
            await connection.close(1013, "try again later")
            return
        starves = options.when_full == "starve" and venue.is_full
        client, state = Client(connection, starves=starves), venue.enter()
        clients.add(client)
        try:
            async for text in connection:
                await connection.send(venue.answer(text, client.channels))
        except ConnectionClosed:
            pass
        finally:
            clients.discard(client)
            venue.leave()
            del state

    def send(client, text):
        protocol = client.connection.protocol
        is_served = protocol.state is State.OPEN and not client.starves
        if is_served and venue.has_room(client.connection.transport):
            protocol.send_text(text.encode())
            client.connection.send_data()

    async with serve(
        follow,
        sock=sock,
        ssl=tls_context(options),
        process_request=admit,
        compression="deflate" if options.deflate else None,
        ping_interval=None,
    ):
        await publish(venue, clients, send)


if __name__ == "__main__":
    options = arguments()
    first = listen(options, reuse_port=options.workers > 1)
    options.port = first.getsockname()[1]
    for _ in range(options.workers - 1):
        if os.fork() == 0:
            first.close()
            first = listen(options, reuse_port=True)
            break
    else:
        ready(options.port)
    asyncio.run(main(options, first))
