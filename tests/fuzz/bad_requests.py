"""HTTP requests from a seed, most of them bad: what is sent, in which pieces, and whether it has the token.

Each is of one number and one seed and can be made again alone.
"""

import itertools
import random
import re
from dataclasses import dataclass

TOKEN = "a-token-of-the-fuzz"
_RIGHT = re.compile(rf"Bearer[ \t]+{TOKEN}(?:\s|$)".encode(), re.IGNORECASE)
METHODS = (
    *("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"),
    *("get", "G E T", "", "PRI", "\x00", "GET" * 3000, "ÄÖ"),
)
AGENT_PATHS = ("/healthz", "/v1/info", "/v1/samples", "/v1/port", "/metrics")
PUSH_PATHS = ("/v1/info", "/v1/samples")
ODD_PATHS = (
    *(
        "/",
        "",
        "*",
        "//",
        "http://[",
        "http://[::1",
        "//[",
        "/../../etc/passwd",
        "/%00",
        "/%2e%2e/x",
    ),
    *(
        "http://evil.example/v1/info",
        "/v1/info/",
        "/V1/INFO",
        "/v1/info;x",
        "/v1/info#x",
        "?",
        "/\xff",
    ),
    *("/" + "a" * 70_000, "/v1/info?" + "x=" * 5000, "/v1//info", "/./v1/info", "\\v1\\info"),
)
NUMBERS = (
    "0",
    "1",
    "-1",
    "+1",
    "1_0",
    "٣",
    "1e3",
    "0x10",
    "9" * 18,
    "9" * 30_000,
    "",
    " 1",
    "NaN",
    "1.5",
)
QUERIES = ("since", "number", "x", "", "since=1&since", "%", "since%00")
TOKENS = (
    *(
        "Bearer wrong",
        "Bearer ",
        "Bearer",
        "Basic " + TOKEN,
        TOKEN,
        "bearer  x",
        "Bearer " + TOKEN + "x",
    ),
    *(
        "Bearer \xff\xfe",
        "Bearer " + "a" * 70_000,
        "Bearer " + TOKEN[:-1],
        "Bearer\t",
        ",",
        "Digest x",
    ),
)
HOSTS = (
    "localhost",
    "127.0.0.1",
    "[::1]",
    "evil.example",
    "",
    "[",
    "a" * 300,
    "localhost:",
    "localhost:x",
)
VERSIONS = (
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/0.9",
    "HTTP/2.0",
    "HTTP/1",
    "HTTP/x.y",
    "",
)
NAMES = (
    *(
        "Content-Length",
        "Transfer-Encoding",
        "Expect",
        "Connection",
        "Host",
        "Cookie",
        "Range",
        "Upgrade",
    ),
    *(
        "Accept-Encoding",
        "X",
        "",
        " X",
        "X ",
        "\x00",
        "Capacity-Newest-Seq",
        "Ä",
        "TE",
        "X" * 70_000,
    ),
)
VALUES = (
    "x",
    "",
    "close",
    "keep-alive",
    "chunked",
    "identity",
    "100-continue",
    "bytes=0-",
    "\x00",
    "ü",
    "websocket",
)
ENDS = ("\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\n ")


@dataclass(frozen=True, slots=True)
class Request:
    """What goes out on one connection."""

    pieces: tuple[bytes, ...]
    has_token: bool
    """The right token stands in it somewhere; without it nothing but /healthz may be answered with 200."""
    lingers: bool
    """The connection is left open, as it is."""
    is_public: bool
    """It names the one path that needs no token."""


def request_of(seed: int, number: int, service: str) -> Request:
    """Return request *number* of *seed* to the "agent" or the "push" receiver."""
    chance = random.Random(f"{service}-{seed}-{number}")
    count = chance.choice((1, 1, 1, 1, 2, 3, 8))
    data = b"".join(_one(chance, service) for _ in range(count))
    kind = chance.random()
    if kind < 0.1:
        data = data[: chance.randrange(len(data) + 1)]
    elif kind < 0.2:
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.randbytes(chance.randrange(1, 9)) + data[at:]
    elif kind < 0.23:
        data = chance.randbytes(chance.randrange(1, 3000))
    borders = sorted(chance.randrange(len(data) + 1) for _ in range(chance.choice((0, 0, 0, 1, 5))))
    edges = [0, *borders, len(data)]
    pieces = tuple(data[a:b] for a, b in itertools.pairwise(edges))
    return Request(
        pieces,
        bool(_RIGHT.search(data)),
        lingers=chance.random() < 0.02,
        is_public=b"health" in data,
    )


def _one(chance: random.Random, service: str) -> bytes:
    usual, paths = ("GET", AGENT_PATHS) if service == "agent" else ("POST", PUSH_PATHS)
    method = usual if chance.random() < 0.75 else chance.choice(METHODS)
    path = chance.choice(paths) if chance.random() < 0.8 else chance.choice(ODD_PATHS)
    if chance.random() < 0.3:
        path += f"?{chance.choice(QUERIES)}={chance.choice(NUMBERS)}"
    version = "HTTP/1.1" if chance.random() < 0.9 else chance.choice(VERSIONS)
    end = "\r\n" if chance.random() < 0.95 else chance.choice(ENDS)
    body = _body(chance, service)
    lines = [f"{method} {path} {version}" if chance.random() < 0.97 else chance.choice(NUMBERS)]
    lines += _head(chance, body)
    if chance.random() < 0.1:
        chance.shuffle(lines)
    return end.join([*lines, "", ""]).encode("utf-8", "surrogatepass") + _framed(
        chance, lines, body
    )


def _head(chance: random.Random, body: bytes) -> list[str]:
    lines = [f"Host: {'localhost' if chance.random() < 0.8 else chance.choice(HOSTS)}"]
    kind = chance.random()
    if kind < 0.5:
        lines.append(f"Authorization: Bearer {TOKEN}")
    elif kind < 0.9:
        lines.append(f"Authorization: {chance.choice(TOKENS)}")
    if chance.random() < 0.05:
        lines.append(f"Authorization: {chance.choice(TOKENS)}")
    kind = chance.random()
    if kind < 0.6 and body:
        lines.append(f"Content-Length: {len(body)}")
    elif kind < 0.7:
        lines.append(f"Content-Length: {chance.choice(NUMBERS)}")
    elif kind < 0.8:
        lines.append("Transfer-Encoding: chunked")
    for _ in range(chance.choice((0, 0, 1, 3, 120 if chance.random() < 0.05 else 2))):
        value = chance.choice((*VALUES, *NUMBERS))
        lines.append(f"{chance.choice(NAMES)}{chance.choice((': ', ':', ' : ', ''))}{value}")
    return lines


_SAMPLE = (
    b'{"seq": 1, "at": 1.0, "interval_s": 1.0, "used": {}, "gauges": {}, "counters": {}, "missing": {},'
    b' "target_started_at": 1.0}'
)

_INFO = (
    b'{"agent_version": "1", "host": "h", "kernel": "k", "cores": 1, "memory_bytes": 1, "boot_id": "b",'
    b' "target_name": "t", "target_pids": [1], "target_started_at": 1.0, "limits": [], "now": 1.0}'
)


def _body(chance: random.Random, service: str) -> bytes:
    if service == "agent" and chance.random() < 0.8:
        return b""
    return chance.choice(
        (
            b"",
            b"{}",
            b"[]",
            b"null",
            b"[" * 50_000,
            b'{"now": NaN}',
            b'{"now": 1e999, "limits": [[]]}',
            _INFO,
            _INFO.replace(b"1", b"9" * chance.randrange(1, 400)),
            _INFO.replace(b"[]", chance.choice((b"[[]]", b"[{}]", b"{}", b'[{"value": 1e999}]'))),
            _SAMPLE,
            _SAMPLE + b"\n" + _SAMPLE.replace(b"1", b"9" * chance.randrange(1, 400)),
            _SAMPLE.replace(
                b"{}", chance.choice((b"[]", b'{"cpu": {}}', b'{"cpu": "x"}', b"null"))
            ),
            _SAMPLE[: chance.randrange(len(_SAMPLE))],
            bytes(chance.randrange(256) for _ in range(chance.randrange(200))),
            b"\xff" * chance.randrange(5000),
        )
    )


def _framed(chance: random.Random, lines: list[str], body: bytes) -> bytes:
    if "Transfer-Encoding: chunked" not in lines:
        return body
    size = chance.choice((b"%x" % len(body), b"-1", b"f" * 40, b"", b"x", b"0"))
    return size + b"\r\n" + body + chance.choice((b"\r\n0\r\n\r\n", b"\r\n", b""))
