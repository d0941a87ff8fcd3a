"""A dialect, drafted from a recording: a beginning to be corrected, with what it was concluded from.

Nothing that looks like a secret gets into it: such values become names in `needs`.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from capacity.domain.errors import ConfigError
from capacity.workload.dialects.matching import getter, name_getter
from capacity.workload.drafting.asking import is_alike, is_secret, needed
from capacity.workload.drafting.beyond import doubt_what_is_beyond
from capacity.workload.drafting.contents import describe_updates, number_others
from capacity.workload.drafting.following import symbol_in
from capacity.workload.drafting.heard import Heard, parsed, unpacked
from capacity.workload.drafting.keeping import heartbeats, ignored, unsubscribing
from capacity.workload.drafting.recorded_session import Session
from capacity.workload.drafting.sections import Draft
from capacity.workload.drafting.subscribing import opening, subscribing

_SAFE = "/%:@!$&'()*+,;=~"
_VALUES = re.compile(r"([/=])([^/=&?]+)")
"""Segments of a path and values of a query."""
_LOGICAL = re.compile(r"[^a-z0-9]+")


def drafted(session: Session, name: str, symbols: Sequence[str] = ()) -> Draft:
    """Return the draft that *session* leads to. Raises ConfigError where it holds no update."""
    draft = Draft()
    draft.sections.update({"dialect": 1, "name": name})
    _address(session, draft)
    session, packing = unpacked(session)
    if packing is not None:
        draft.sections["messages"] = {"packing": packing}
    heard = parsed(session)
    asks = [(n, tree) for n, (frame, tree) in enumerate(heard.frames) if frame.is_ours]
    _channels(heard, asks, draft, symbols)
    describe_updates(heard, draft)
    ignored(heard, draft)
    number_others(heard, draft)
    doubt_what_is_beyond(heard, draft)
    _rest(session, draft)
    if draft.needs:
        draft.sections["needs"] = list(draft.needs)
    draft.sections = {key: draft.sections[key] for key in _ORDER if key in draft.sections}
    return draft


_ORDER = (
    *("dialect", "name", "ws", "http", "messages", "needs", "opening", "channels", "subscribe"),
    *("unsubscribe", "heartbeat", "ignore", "data", "time", "sequence", "rest"),
)


def _address(session: Session, draft: Draft) -> None:
    url = session.url or "ws://127.0.0.1/"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"the recording's address is none: {error} ({url[:80]!a})") from None
    tls = parts.scheme in {"wss", "https"}
    draft.origin = (parts.hostname or "127.0.0.1", port or (443 if tls else 80), tls)
    query = "&".join(
        f"{quote(key)}={{{needed(key, 'address', draft.needs)}}}"
        if is_secret(key)
        else f"{quote(key)}={quote(value)}"
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    path = f"{quote(parts.path, safe=_SAFE) or '/'}{'?' if query else ''}{query}"
    ws: dict[str, Any] = {"url": f"{{scheme}}://{{host}}:{{port}}{path}"}
    headers = {key: value for key, value in session.headers.items() if not key.startswith(":")}
    for key, value in headers.items():
        if key.lower() == "sec-websocket-protocol":
            ws["subprotocols"] = [each.strip() for each in value.split(",")]
        elif is_secret(key):
            ws.setdefault("headers", {})[key] = f"{{{needed(key, 'header', draft.needs)}}}"
    draft.sections["ws"] = ws
    if session.url is None:
        draft.doubts["ws"] = "the recording does not say its address: correct the path"


def _channels(
    heard: Heard, asks: Sequence[tuple[int, Any]], draft: Draft, symbols: Sequence[str]
) -> None:
    found = heard.following
    names = found.names
    channels: dict[str, dict[str, Any]] = {}
    by_parts: dict[str, tuple[str, ...]] = {}
    for name in names:
        parts = _parts_of(heard, name)
        symbol = symbol_in(name, symbols, names)
        if len(parts) > 1:  # A part that is a symbol whole is more likely one than a piece of it.
            symbol = next((each for each in parts if symbol and symbol in each), parts[-1])
        wire = name.replace(symbol, "{symbol}") if symbol else name
        logical = _LOGICAL.sub("_", wire.replace("{symbol}", "").lower()).strip("_") or "updates"
        channels.setdefault(logical, {"wire": wire})
        by_parts[name] = parts
        if symbol and symbol not in draft.symbols:
            draft.symbols.append(symbol)
    if not channels:
        channels = {"updates": {"wire": "updates"}}
        draft.doubts["channels"] = "updates name no channel: all of them count as one"
    draft.sections["channels"] = channels
    if names and not found.is_proven:
        draft.doubts["channels"] = f"guessed from {found.key} of the updates: no request names them"
    first = subscribing(heard, asks, by_parts, draft, channels)
    end = first if first is not None else next(iter(sorted(heard.updates)), 0)
    opening(heard, [one for one in asks if one[0] < end], draft)
    rest = []
    if first is None and names:
        _follow_by_address(names, draft)
    if first is not None:
        asked = heard.frames[first][1]
        rest = [(n, tree) for n, tree in asks if n > end and not is_alike(tree, asked, names)]
    unsubscribing(rest, draft)
    heartbeats(heard, rest if first is not None else list(asks), draft)


def _follow_by_address(names: Sequence[str], draft: Draft) -> None:
    """Write that the address names the channels, where it does: {channels} for a list, {channel} for one."""
    known = set(names)

    def named(found: re.Match[str]) -> str:
        value = unquote(found[2])
        if not known.issuperset(value.split(",")):
            return found[0]
        return found[1] + ("{channels}" if "," in value else "{channel}")

    url = draft.sections["ws"]["url"]
    followed = _VALUES.sub(named, url)
    if followed != url:
        draft.sections["ws"] |= {"url": followed, "idle_channel": "idle"}
        draft.doubts["ws"] = (
            "the address names what is followed, so that a connection follows it for good; idle_channel has to be"
            " a name that the target takes and tells nothing of"
        )
        draft.doubts.pop("channels", None)


def _parts_of(heard: Heard, name: str) -> tuple[str, ...]:
    """Return the texts that a channel's name is put together of in its updates."""
    found = heard.following
    if found.key is None or len(found.parts) == 1:
        return (name,)
    whole = name_getter(found.key)
    for n in sorted(heard.updates):
        frame = heard.frames[n][1]
        if whole(frame) == name:
            return tuple(str(getter(part)(frame)) for part in found.parts)
    return (name,)


def _rest(session: Session, draft: Draft) -> None:
    """Write the REST requests beside the conversation, those of one host."""
    operations: dict[str, Any] = {}
    base: str | None = None
    for request in session.requests:
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if request.method not in {"GET", "POST"} or base not in {None, origin}:
            continue
        name = _LOGICAL.sub("_", parts.path.rpartition("/")[2].lower()).strip("_") or "root"
        if name in operations or not parts.path:
            continue
        base = origin
        path = quote(parts.path, safe=_SAFE)
        query = {key: value for key, value in parse_qsl(parts.query) if not is_secret(key)}
        symbol = next(iter(draft.symbols), None)
        operations[name] = {
            "path": path.replace(symbol, "{symbol}") if symbol else path,
            **({"method": "POST"} if request.method == "POST" else {}),
            **(
                {
                    "query": {
                        key: "{symbol}" if value == symbol else value
                        for key, value in query.items()
                    }
                }
                if query
                else {}
            ),
        }
    if base is None:
        return
    host = urlsplit(base).hostname
    same = host == draft.origin[0]
    draft.sections["http"] = {"base": "{scheme}://{host}:{port}" if same else base}
    draft.sections["rest"] = operations
    draft.doubts["rest"] = "the requests beside it; keep what is to be polled"
