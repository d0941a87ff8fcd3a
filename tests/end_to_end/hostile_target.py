"""A target that misbehaves as the path of each connection says; says its port on stdout.

Each connection has a process of its own, so that a busy one takes no time from its neighbours.
"""

import base64
import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import struct
import time
import zlib

PATIENCE_S = 60
HEALTHY_PER_S = 20
SNAPSHOT_BYTES = 1 << 20


def text_frame(payload):
    length = len(payload)
    if length < 126:
        return bytes((0x81, length)) + payload
    if length < 65536:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload


def update(name, n, filling=""):
    frame = {"channel": name, "seq": n, "ts": time.time(), "filling": filling}
    return text_frame(json.dumps(frame).encode())


def upgrade(sock, request, terms=b""):
    key = re.search(rb"Sec-WebSocket-Key: (\S+)", request)[1]
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    sock.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n" + terms + b"\r\n"
    )


def publish(name, per_s, filling=""):
    def behave(sock):
        n, due_s = 0, time.monotonic()
        while True:
            n += 1
            sock.sendall(update(name, n, filling))
            due_s += 1 / per_s
            time.sleep(max(0.0, due_s - time.monotonic()))

    return behave


def wait(sock):
    while sock.recv(4096):
        pass


def say(data):
    """Send *data*, then be silent."""
    return lambda sock: (sock.sendall(data), wait(sock))


def repeat(data, first=b""):
    """Send *data* over and over, as fast as it is taken."""

    def behave(sock):
        sock.sendall(first)
        while True:
            sock.sendall(data)

    return behave


def drip(data, every_s):
    def behave(sock):
        for byte in data:
            sock.sendall(bytes((byte,)))
            time.sleep(every_s)

    return behave


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def deflated(*contents):
    packer = zlib.compressobj(9, wbits=-15)
    packed = b"".join(map(packer.compress, contents)) + packer.flush(zlib.Z_SYNC_FLUSH)
    return b"\xc1" + text_frame(packed[:-4])[1:]


def packed_updates(sock):
    for n in range(1, 1000):
        frame = json.dumps({"channel": "deflated", "seq": n, "ts": time.time()})
        sock.sendall(deflated(frame.encode()))
        time.sleep(1 / HEALTHY_PER_S)


BEFORE_UPGRADE = {
    "junk_first": say(os.urandom(100) + b"\r\n\r\n"),
    "head_drips": drip(b"HTTP/1.1 101 Switching Protocols" * 100, 0.1),
    "head_without_end": repeat(b"x: y\r\n" * 1000, b"HTTP/1.1 101 x\r\n"),
    "body_without_end": repeat(
        b"x" * 65536, b"HTTP/1.1 503 x\r\nContent-Length: 1" + b"0" * 12 + b"\r\n\r\n"
    ),
    "reset_at_once": reset,
    "reset_within_head": lambda sock: (
        sock.sendall(b"HTTP/1.1 101 Swi"),
        time.sleep(0.1),
        reset(sock),
    ),
    "silent_before_upgrade": wait,
}
AFTER_UPGRADE = {
    "huge_header": say(b"\x82\x7f" + (1 << 40).to_bytes(8, "big")),
    "negative_length": say(b"\x82\x7f" + b"\xff" * 8),
    "fragments": repeat(b"\x00\x7d" + b"x" * 125, b"\x01\x00"),
    "empty_fragments": repeat(b"\x00\x00" * 1000, b"\x01\x00"),
    "not_utf8": say(text_frame(b'{"channel": "\xff\xfe"}')),
    "masked": say(b"\x81\x81abcd\x00"),
    "junk_after": say(b"GET / HTTP/1.1\r\n\r\n"),
    "reset_after_upgrade": lambda sock: (time.sleep(0.1), reset(sock)),
    "reset_within_frame": lambda sock: (
        sock.sendall(b"\x81\x7e\x10"),
        time.sleep(0.1),
        reset(sock),
    ),
    "no_close_frame": lambda sock: time.sleep(0.1),
    "close_frame": say(b"\x88\x02\x03\xe9"),
    "bad_close_frame": say(b"\x88\x02\x03\xed"),
    "pings_unread": repeat(b"\x89\x7d" + b"x" * 125),
    "chatter": repeat(text_frame(b"x") * 1000),
    "silence": wait,
    "frame_drips": drip(text_frame(b"x" * 1000), 0.05),
}
COMPRESSED = {
    "bomb": say(deflated(*[bytes(1_000_000)] * 300)),
    "bad_deflate": say(b"\xc1\x03\xff\xff\xff"),
    "deflated": packed_updates,
}


def serve(sock):
    sock.settimeout(PATIENCE_S)
    request = sock.recv(4096)
    path = request.split(b" ", 2)[1].decode()
    name = path.strip("/")
    if name in BEFORE_UPGRADE:
        BEFORE_UPGRADE[name](sock)
    elif name in AFTER_UPGRADE:
        upgrade(sock, request)
        AFTER_UPGRADE[name](sock)
    elif name in COMPRESSED:
        upgrade(sock, request, b"Sec-WebSocket-Extensions: permessage-deflate\r\n")
        COMPRESSED[name](sock)
    elif name == "snapshots":
        upgrade(sock, request)
        publish(name, 10, "x" * SNAPSHOT_BYTES)(sock)
    else:
        upgrade(sock, request)
        publish(name, HEALTHY_PER_S)(sock)


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            sock, _address = listener.accept()
            if os.fork() == 0:
                listener.close()
                with contextlib.suppress(OSError):
                    serve(sock)
                sock.close()
                os._exit(0)
            sock.close()


if __name__ == "__main__":
    main()
