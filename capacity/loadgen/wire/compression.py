"""permessage-deflate (RFC 7692) on the client's side: the offer, its answer, bounded inflation.

Offered as browsers offer it; what the client itself sends stays uncompressed, as the RFC allows.
"""

import zlib
from dataclasses import dataclass

OFFER = "permessage-deflate; client_max_window_bits"
"""What Chrome and Firefox send, so that the target keeps the memory for us that it keeps for them."""
_SYNC_END = b"\x00\x00\xff\xff"
"""Ends every compressed message, and is left out on the wire (§7.2.1)."""
_BEHIND_FINAL = (b"", b"\x00")
_FLAGS = frozenset({"server_no_context_takeover", "client_no_context_takeover"})
_WINDOWS = frozenset({"server_max_window_bits", "client_max_window_bits"})
_WINDOW_BITS = frozenset(map(str, range(8, 16)))


class NegotiationError(Exception):
    """The target answered with extensions that were not offered, or in terms that do not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deflate:
    """What client and target agreed on."""

    window_bits: int = 15
    keeps_context: bool = True
    """A message may refer back to those before it."""


def agreed(answer: str | None, *, is_offered: bool) -> Deflate | None:
    """Return what the header Sec-WebSocket-Extensions of the response says; None is no compression.

    Raises NegotiationError where RFC 6455 §4.1 demands that the client fail the connection.
    """
    if not answer:
        return None
    name, *parameters = (part.strip() for part in answer.split(";"))
    if not is_offered or name.lower() != "permessage-deflate":
        raise NegotiationError(answer)
    chosen: dict[str, str] = {}
    for parameter in parameters:
        key, has_value, value = (part.strip() for part in parameter.lower().partition("="))
        value = value.strip('"')
        fits = value in _WINDOW_BITS if key in _WINDOWS else key in _FLAGS and not has_value
        if not fits or key in chosen:
            raise NegotiationError(answer)
        chosen[key] = value
    return Deflate(
        window_bits=int(chosen.get("server_max_window_bits", "15")),
        keeps_context="server_no_context_takeover" not in chosen,
    )


class Inflater:
    """Inflates one connection's messages, part by part, to a bounded size."""

    __slots__ = ("_stream", "_terms")

    def __init__(self, terms: Deflate) -> None:
        self._terms = terms
        self._stream: zlib._Decompress | None = None  # With its window only once it is needed.

    def inflated(self, data: bytes, max_bytes: int, *, is_last: bool) -> bytes:
        """Return the content of a message's next part, or max_bytes + 1 bytes of a longer one.

        Raises zlib.error on what cannot be inflated.
        """
        stream = self._stream
        if stream is None:
            stream = self._stream = zlib.decompressobj(-self._terms.window_bits)
        content = stream.decompress(data + _SYNC_END if is_last else data, max_bytes + 1)
        if stream.eof:
            # A block marked as final may end a message, nothing else (§7.2.3.4); its end may come in
            # a fragment before the last one, or that have the octet that goes behind it.
            behind = stream.unused_data.removesuffix(_SYNC_END) if is_last else stream.unused_data
            if behind not in _BEHIND_FINAL:
                raise zlib.error("data after the final block")
        if is_last and (stream.eof or not self._terms.keeps_context):
            self._stream = None
        return content
