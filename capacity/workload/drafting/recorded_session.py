"""A recorded conversation with a target: what `capacity dialect record`, `try --record` and browsers write.

Three forms are read. Ours: one JSON object a line, {"at": epoch seconds, "from": "client" | "server",
"text": "…"} (or "base64"), the first line {"session": 1, "url": "ws://…"}. A HAR file of Chrome,
Chromium or Edge, which hold WebSocket messages. Any other text: one frame of the server a line; a
line that begins with "> " is what the client sent, and "< " is taken off.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from capacity.domain.errors import ConfigError

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One message of the conversation."""

    payload: bytes
    is_ours: bool = False
    """The client sent it."""
    at_s: float | None = None
    """Epoch seconds, by the clock of whoever recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One REST request beside the conversation."""

    method: str
    url: str
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    frames: tuple[Frame, ...]
    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those of the handshake, as far as they are known."""
    requests: tuple[Request, ...] = ()
    left_out: int = 0
    """Further WebSockets of a HAR file, with fewer messages."""


def read_session(text: str, shown: str) -> Session:
    """Return what is recorded in *text*; *shown* names the file in the ConfigError of what is none."""
    document = _json(text)
    if isinstance(document, dict) and isinstance(document.get("log"), dict):
        return _of_har(document["log"], shown)
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise ConfigError(f"{shown}: nothing is recorded in it; record a session with updates")
    head = _json(lines[0][1])
    if isinstance(head, dict) and "session" in head:
        if head["session"] != VERSION:
            raise ConfigError(f"{shown}:1: session: must be {VERSION} (got {head['session']!r})")
        frames = tuple(_framed(line, f"{shown}:{n}") for n, line in lines[1:])
        url = head.get("url")
        return Session(frames=frames, url=url if isinstance(url, str) else None)
    return Session(frames=tuple(_plain(line) for _n, line in lines))


def written(frames: Iterable[Frame], url: str) -> Iterator[str]:
    """Yield the lines of our own form."""
    yield orjson.dumps({"session": VERSION, "url": url}).decode()
    for frame in frames:
        yield line_of(frame)


def line_of(frame: Frame) -> str:
    """Return one frame as a line of our own form."""
    data: dict[str, Any] = {"at": frame.at_s, "from": "client" if frame.is_ours else "server"}
    try:
        data["text"] = frame.payload.decode()
    except UnicodeDecodeError:
        data["base64"] = base64.b64encode(frame.payload).decode()
    return orjson.dumps(data).decode()


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _plain(line: str) -> Frame:
    is_ours = line.startswith("> ")
    return Frame(payload=line.removeprefix("> ").removeprefix("< ").encode(), is_ours=is_ours)


def _framed(line: str, place: str) -> Frame:
    data = _json(line)
    if not isinstance(data, dict) or data.get("from") not in {"client", "server"}:
        raise ConfigError(
            f'{place}: from: must be "client" or "server" in an object a line, as'
            ' {"at": 1.5, "from": "server", "text": "…"}'
        )
    text, packed, at = data.get("text"), data.get("base64"), data.get("at")
    if isinstance(text, str):
        payload = text.encode()
    elif isinstance(packed, str):
        payload = _unpacked(packed, place)
    else:
        raise ConfigError(
            f"{place}: text: is required: the frame as it was, or base64 of its bytes"
        )
    is_time = isinstance(at, int | float) and not isinstance(at, bool)
    return Frame(
        payload=payload,
        is_ours=data["from"] == "client",
        at_s=float(at) if is_time and at is not None else None,
    )


def _unpacked(packed: str, place: str) -> bytes:
    try:
        return base64.b64decode(packed, validate=True)
    except binascii.Error:
        raise ConfigError(f"{place}: base64: is none") from None


def _of_har(log: Mapping[str, Any], shown: str) -> Session:
    entries = [entry for entry in log.get("entries") or () if isinstance(entry, dict)]
    sockets = [entry for entry in entries if entry.get("_webSocketMessages")]
    if not sockets:
        raise ConfigError(
            f"{shown}: log.entries: hold no WebSocket messages; record in Chrome, Chromium or Edge"
            " (developer tools open before the page, Network, Export HAR): Firefox leaves them out"
        )
    chosen = max(sockets, key=lambda entry: len(entry["_webSocketMessages"]))
    asked = chosen.get("request") or {}
    return Session(
        frames=tuple(
            _har_frame(each, f"{shown}: _webSocketMessages[{n}]")
            for n, each in enumerate(chosen["_webSocketMessages"])
        ),
        url=asked.get("url"),
        headers={
            str(header.get("name")): str(header.get("value"))
            for header in asked.get("headers") or ()
        },
        requests=tuple(_har_requests(entries)),
        left_out=len(sockets) - 1,
    )


def _har_frame(message: Any, place: str) -> Frame:
    try:
        data, opcode, at = str(message["data"]), message.get("opcode"), message.get("time")
    except (KeyError, TypeError):
        raise ConfigError(f"{place}: data: is required") from None
    return Frame(
        payload=_unpacked(data, place) if opcode == 2 else data.encode(),
        is_ours=message.get("type") == "send",
        at_s=float(at) if isinstance(at, int | float) else None,
    )


def _har_requests(entries: Iterable[Mapping[str, Any]]) -> Iterator[Request]:
    """Yield the requests whose answers are JSON."""
    for entry in entries:
        asked, answer = entry.get("request") or {}, entry.get("response") or {}
        content = answer.get("content") or {}
        if "json" in str(content.get("mimeType")) and asked.get("url"):
            yield Request(
                method=str(asked.get("method", "GET")),
                url=str(asked["url"]),
                answer=str(content.get("text") or ""),
            )
