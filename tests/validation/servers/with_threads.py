"""A thread for each connection, on plain sockets; wsproto speaks the protocol."""

import contextlib
import sys
import threading
import time

from venue import Venue, arguments, burn, listen, ready
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, RejectConnection, Request, TextMessage

options = arguments()
venue = Venue(options)
threading.stack_size(128 * 1024)


class Client:
    def __init__(self, sock):
        self.sock, self.channels = sock, set()
        self.protocol = WSConnection(ConnectionType.SERVER)
        self.lock = threading.Lock()

    def send(self, event):
        with self.lock:
            self.sock.sendall(self.protocol.send(event))


def follow(client, clients):
    state = None
    with client.sock, contextlib.suppress(OSError):
        try:
            while data := client.sock.recv(4096):
                if data.startswith(b"GET /snapshot"):  # A health check, by a thread as the others.
                    client.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    return
                client.protocol.receive_data(data)
                for event in client.protocol.events():
                    if isinstance(event, Request):
                        if not venue.admits():
                            client.send(RejectConnection(status_code=503))
                            return
                        state = venue.enter()
                        client.send(AcceptConnection())
                        clients.add(client)
                    elif isinstance(event, TextMessage):
                        client.send(TextMessage(data=venue.answer(event.data, client.channels)))
                    elif isinstance(event, CloseConnection):
                        return
        finally:
            doors.release()
            clients.discard(client)
            if state is not None:
                venue.leave()


def publish(clients):
    while True:
        began_s = time.monotonic()
        text = venue.update()
        for client in list(clients):
            if client.channels:
                burn(options.message_us)
                with contextlib.suppress(OSError):
                    client.send(TextMessage(data=text))
        time.sleep(max(0.0, 1.0 / options.rate_per_s - (time.monotonic() - began_s)))


is_closing = options.when_full == "stop"
doors = threading.Semaphore(options.max_connections if is_closing else sys.maxsize)
sock = listen(options)
clients = set()
threading.Thread(target=publish, args=(clients,), daemon=True).start()
if not options.quiet:
    ready(sock.getsockname()[1])
while True:
    doors.acquire()
    try:
        connection, _address = sock.accept()
        if options.accepts_per_s:
            time.sleep(1.0 / options.accepts_per_s)
    except OSError:
        time.sleep(0.05)  # No descriptor is left.
        doors.release()
        continue
    client = Client(connection)
    try:
        threading.Thread(target=follow, args=(client, clients), daemon=True).start()
    except RuntimeError:  # No thread is left.
        connection.close()
        doors.release()
