"""The values of one frame: what the request brings, what the connection has, what is signed, and,
in an answer, what the answered frame holds.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from capacity.workload.dialects.channel_requests import PART
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.matching import MISSING, getter
from capacity.workload.dialects.signature import Signature, signed
from capacity.workload.dialects.template import TIMES, names

NOTHING: Mapping[str, Any] = MappingProxyType({})
BUILT_IN = ("connection", *TIMES, "nonce")
"""Values that every template may hold."""
_CHANNELS = ("alias", "channel", "channels")
Asked = Callable[[str, Mapping[str, Any]], Any]
"""(name, values) -> a value about the channels of a request; MISSING for a part that one has not."""


def uses_values(dialect: Dialect) -> bool:
    """Tell whether templates of *dialect* hold more than channels, ids and what answers bring."""
    described = asdict(dialect) | {"orders": None}  # Traders have values of their own.
    return bool(dialect.needs or dialect.signatures) or not set(BUILT_IN).isdisjoint(
        names(described)
    )


def handshake_signatures(dialect: Dialect) -> tuple[str, ...]:
    """Return the names of signatures that the handshake holds, in its address or a header."""
    held = set(names([dialect.ws.url, asdict(dialect.ws)["headers"]]))
    return tuple(name for name in dialect.signatures if name in held)


def needed_for(dialect: Dialect, channels: Container[str]) -> tuple[str, ...]:
    """Return the `needs` that a connection which follows some of *channels* makes use of.

    Only what other channels alone make use of is left out.
    """
    requests = {name: set(names(channel.request)) for name, channel in dialect.channels.items()}
    for held in requests.values():
        for signature in (dialect.signatures[name] for name in held & set(dialect.signatures)):
            held |= set(names(signature.templates))
    followed = set().union(*(held for name, held in requests.items() if name in channels))
    others = set().union(*requests.values()) - followed
    outside = asdict(dialect) | {"channels": None, "orders": None, "signatures": None}
    common = set(names(outside))
    for name in common & set(dialect.signatures):
        signature = dialect.signatures[name]
        common |= set(names(signature.templates))
    return tuple(name for name in dialect.needs if name not in others - common)


class FrameValues(dict[str, Any]):
    """Name -> value. What is looked up once stays the same for this frame, such as the time in a
    signature and beside it. KeyError where there is none.
    """

    def __init__(
        self,
        own: Mapping[str, Any],
        outer: Mapping[str, Any] = NOTHING,
        signatures: Mapping[str, Signature] = NOTHING,
        frame: Any = MISSING,
        asked: Asked | None = None,
    ) -> None:
        super().__init__(own)
        self._outer, self._signatures, self._frame = outer, signatures, frame
        self._asked = asked

    def __missing__(self, name: str) -> Any:
        if name in self._signatures:
            value = signed(self._signatures[name], self)
        elif name in self._outer:
            value = self._outer[name]
        elif self._asked is not None and (name in _CHANNELS or name.startswith(PART)):
            value = self._asked(name, self)
        else:
            value = getter(name.removeprefix("$."))(self._frame)
            if value is MISSING:
                raise KeyError(name)
        self[name] = value
        return value
