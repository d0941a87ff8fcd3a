"""A process for each connection, as servers that fork have it; wsproto speaks the protocol."""

import contextlib
import os
import select
import signal
import time

from venue import Venue, arguments, burn, listen, ready
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage

options = arguments()
venue = Venue(options)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Children that ended are not waited for.


def follow(client):
    protocol, channels = WSConnection(ConnectionType.SERVER), set()
    state, due_s = venue.enter(), time.monotonic()
    while state is not None:
        if select.select([client], [], [], max(0.0, due_s - time.monotonic()))[0]:
            data = client.recv(4096)
            if not data:
                return
            protocol.receive_data(data)
            for event in protocol.events():
                if isinstance(event, Request):
                    client.sendall(protocol.send(AcceptConnection()))
                elif isinstance(event, TextMessage):
                    answer = venue.answer(event.data, channels)
                    client.sendall(protocol.send(TextMessage(data=answer)))
                elif isinstance(event, CloseConnection):
                    return
        if time.monotonic() >= due_s:
            due_s += 1.0 / options.rate_per_s
            if channels:
                burn(options.message_us)
                client.sendall(protocol.send(TextMessage(data=venue.update())))


sock = listen(options)
ready(sock.getsockname()[1])
while True:
    try:
        connection, _address = sock.accept()
        if os.fork() == 0:
            sock.close()
            with contextlib.suppress(OSError):
                follow(connection)
            os._exit(0)
    except OSError:
        time.sleep(0.05)  # No process is left.
    connection.close()
