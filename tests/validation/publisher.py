"""Publishes to a broker, from beside it: an update with time and number at a fixed rate, for ever.

    python tests/validation/publisher.py mqtt|stomp|xmpp HOST PORT TOPIC RATE_PER_S

MQTT and STOMP over plain TCP, XMPP as a member of the room over WebSocket.
"""

import json
import socket
import sys
import time

from spoken import PROTOCOLS, TEXT, counted, masked, new_name

TIMEOUT_S = 5.0
REQUEST = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: xmpp\r\n\r\n"
)
MESSAGE = (
    "<message xmlns='jabber:client' type='groupchat' to='{topic}'>"
    "<body>{seq}</body><update xmlns='urn:validation' ts='{ts:.3f}' seq='{seq}'/></message>"
)


def frame(payload):
    return masked(payload, TEXT)


def plain(payload):
    return payload


def update(ts, seq):
    return json.dumps({"ch": "updates", "ts": ts, "seq": seq})


def mqtt_message(topic, ts, seq):
    body = counted(topic.encode()) + update(ts, seq).encode()
    return bytes((0x30, len(body))) + body


def stomp_message(topic, ts, seq):
    return f"SEND\ndestination:{topic}\n\n{update(ts, seq)}\0".encode()


def xmpp_message(topic, ts, seq):
    return MESSAGE.format(topic=topic, ts=ts, seq=seq).encode()


SPEAKERS = {
    "mqtt": (b"", plain, 1, mqtt_message),
    "stomp": (b"", plain, 1, stomp_message),
    "xmpp": (REQUEST, frame, None, xmpp_message),
}
"""Protocol -> what is said first, how it is framed, how many of a client's steps, a message."""


def heard(peer, answer):
    said = b""
    while answer not in said:
        more = peer.recv(65_536)
        if not more:
            raise OSError(f"closed before {answer!r}")
        said += more


def connect(protocol, host, port):
    request, framed, steps, _message = SPEAKERS[protocol]
    spoken, name = PROTOCOLS[protocol], new_name()
    peer = socket.create_connection((host, port), timeout=TIMEOUT_S)
    if request:
        peer.sendall(request)
        heard(peer, b"\r\n\r\n")
    for number in range(len(spoken.steps[:steps])):
        said, answer = spoken.step(number, name)
        peer.sendall(framed(said))
        heard(peer, answer)
    peer.setblocking(False)
    return peer


def send(peer, message):
    try:
        while peer.recv(65_536):  # A member of a room hears what it says.
            pass
        raise OSError("closed")
    except BlockingIOError:
        peer.sendall(message)


def main(protocol, host, port, topic, rate_per_s):
    _request, framed, _steps, message = SPEAKERS[protocol]
    due_s, number, peer = time.monotonic(), 0, None
    while True:
        number += 1
        try:
            peer = peer or connect(protocol, host, int(port))
            send(peer, framed(message(topic, time.time() * 1000, number)))
        except OSError:
            peer = None  # It is not there yet, or has no room.
        # Those that it was too late for are left out.
        due_s = max(due_s + 1.0 / float(rate_per_s), time.monotonic() - 1.0)
        time.sleep(max(0.0, due_s - time.monotonic()))


if __name__ == "__main__":
    main(*sys.argv[1:])
