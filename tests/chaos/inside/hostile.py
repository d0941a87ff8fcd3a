"""What a target or an agent may say instead of what it should; each by its number in a table."""

import gzip
import os
import time

BOMB = gzip.compress(bytes(1 << 22))
OK = b"HTTP/1.1 200 OK\r\n"
FRAMES = {
    "huge header": b"\x82\x7f" + (1 << 40).to_bytes(8, "big"),
    "negative length": b"\x82\x7f" + b"\xff" * 8,
    "masked": b"\x81\x81abcd\x00",
    "reserved opcode": b"\x8b\x00",
    "reserved bits": b"\xf1\x01x",
    "text that is not UTF-8": b"\x81\x02\xff\xfe",
    "text that is not JSON": b"\x81\x04}{][",
    "JSON of another shape": b"\x81\x0f" + b'{"method":[[]]}',
    "JSON with NaN": b"\x81\x0b" + b'{"id": NaN}',
    "deep JSON": b"\x81\x7e\x40\x00" + b"[" * 0x4000,
    "escape sequences": b"\x81\x0c" + b"\x1b]0;X\x07\x1b[2J",
    "fragments without end": b"\x01\x00" + b"\x00\x01x" * 500,
    "long ping": b"\x89\x7e\x00\x7e" + b"x" * 126,
    "pings": b"\x89\x01x" * 500,
    "close": b"\x88\x02\x03\xe9",
    "close with a reserved code": b"\x88\x02\x03\xed",
    "close of one byte": b"\x88\x01\x03",
    "junk": bytes(range(7, 207)),
}
ANSWERS = {
    "status 500": b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
    "status 429 with a silly pause": b"HTTP/1.1 429 X\r\nRetry-After: 1e12\r\nContent-Length: 0\r\n\r\n",
    "status 999": b"HTTP/1.1 999\r\n\r\n",
    "a redirect": b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
    "no HTTP": b"\x16\x03\x01 nonsense\r\n\r\n",
    "negative length": OK + b"Content-Length: -5\r\n\r\n",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}",
    "length beyond int": OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "cut short": OK + b"Content-Length: 4000\r\n\r\n{",
    "a bad chunk": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "not JSON": OK + b"Content-Length: 4\r\n\r\n}{][",
    "NaN": OK + b"Content-Length: 15\r\n\r\n" + b'{"result": NaN}',
    "a bad gzip": OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    "a gzip bomb": OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB,
    "a long head": OK + b"X: y\r\n" * 20_000 + b"\r\n",
}
"""Instead of an answer to a request."""
SAMPLES = {
    "NaN": (b"0.", b"NaN, 0."),
    "Infinity": (b'"at":', b'"at": 1e999, "at":'),
    "a negative time": (b'"at":', b'"at": -1e9, "at2":'),
    "null for a number": (b'"at":', b'"at": null, "x":'),
    "another sequence": (b'"seq":', b'"seq": 9'),
    "a huge number": (b'"seq":', b'"seq": ' + b"9" * 400),
    "escape sequences": (b'"', b'"\x1b[2J'),
    "half lines": (b"\n", b""),
    "not UTF-8": (b'"at"', b'"\xff\xfe"'),
    "headers that are no numbers": (b"Capacity-Newest-Seq: ", b"Capacity-Newest-Seq: abc"),
    "a silent agent": (b"", b""),
    "a slow agent": (b"", b""),
    "status 500": (b" 200 ", b" 500 "),
    "a redirect": (b" 200 OK", b" 302 Found\r\nLocation: http://127.0.0.1:9/"),
}
"""In an agent's answer: what is replaced, and by what."""


def turn(role, control):
    """Have this process speak through the tables from the moment its mode says so."""
    if role == "target":
        _turn_target(control)
    elif role == "agent":
        _turn_agent(control)


def _turn_target(control):
    import asyncio.selector_events

    transport = asyncio.selector_events._SelectorSocketTransport
    told = transport.write
    said = [*FRAMES.values(), *ANSWERS.values()]

    def write(self, data):
        mode = control.mode
        if mode:
            is_answer = bytes(data[:5]) == b"HTTP/"
            is_upgrade = is_answer and bytes(data[9:12]) == b"101"
            if is_answer == (mode > len(FRAMES)) and not is_upgrade and _is_chosen():
                return told(self, said[mode - 1])
        return told(self, data)

    transport.write = write


def _turn_agent(control):
    import socketserver

    told = socketserver._SocketWriter.write
    pairs = list(SAMPLES.items())

    def write(self, data):
        if not control.mode:
            return told(self, data)
        name, (old, new) = pairs[control.mode - 1]
        if name == "a silent agent":
            time.sleep(15.0)
        elif name == "a slow agent":
            for byte in bytes(data)[:30]:
                told(self, bytes((byte,)))
                time.sleep(0.5)
            return len(data)
        changed = bytes(data).replace(old, new) if old else bytes(data)
        told(self, changed)
        return len(data)

    socketserver._SocketWriter.write = write


def _is_chosen():
    """Every fourth time: what is hostile to everybody at once ends each run alike."""
    return os.urandom(1)[0] < 64
