"""A channel of a dialect, and what stands for it in a request: its name on the wire, or a tree that names it otherwise."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final, NamedTuple

from capacity.workload.dialects.answers import VALIDATION
from capacity.workload.dialects.matching import MISSING, getter
from capacity.workload.dialects.template import PLACE, fill, names

PART: Final = "channel."
"""How the name of a part of a channel begins."""
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    __pydantic_config__: ClassVar = VALIDATION
    wire: str
    """Name of the channel on the wire, from {symbol}."""
    request: Any = None
    """Template of what stands for the channel in requests where that is not its name, from {symbol},
    such as {channel: books, instId: "{symbol}"}; it may hold what the request may. Its parts are
    {channel.path} in send, where a key whose part a channel has not is left out."""


class _Form(NamedTuple):
    template: Any
    symbol: Mapping[str, Any]
    whole: Any
    """What stands for the channel; None where that needs values of the request."""


class ChannelRequests:
    """Looked up by wire name; the symbol is read back out of it."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        by_length = sorted(channels.values(), key=lambda one: -len(one.wire))
        self._forms = [(_pattern(channel), channel.request) for channel in by_length]
        self._found: dict[str, _Form] = {}

    def of(self, channel: str, values: Mapping[str, Any] = _NOTHING) -> Any:
        """Return what stands for the channel with this wire name; its name where that has no value."""
        form = self._form(channel)
        if form.whole is not None:
            return form.whole
        return fill(form.template, _With(values, form.symbol)) if values else channel

    def named(self, name: str, channels: Sequence[str], values: Mapping[str, Any]) -> Any:
        """Return channels, channel, or a part of the channel, which is MISSING where it has none."""
        if name == "channels":
            return tuple(self.of(channel, values) for channel in channels)
        if name == "channel":
            return self.of(channels[0], values)
        form = self._form(channels[0])
        part = getter(name.removeprefix(PART))(form.template)
        return MISSING if part is MISSING else fill(part, _With(values, form.symbol))

    def _form(self, channel: str) -> _Form:
        if channel not in self._found:
            self._found[channel] = self._made(channel)
        return self._found[channel]

    def _made(self, channel: str) -> _Form:
        for pattern, request in self._forms:
            found = pattern.fullmatch(channel)
            if found is not None and request is not None:
                symbol = found.groupdict()
                is_whole = set(names(request)) <= {"symbol"}
                return _Form(request, symbol, fill(request, symbol) if is_whole else None)
            if found is not None:
                break
        return _Form(None, _NOTHING, channel)


class _With(dict[str, Any]):
    """Some values before others."""

    def __init__(self, outer: Mapping[str, Any], own: Mapping[str, Any]) -> None:
        super().__init__(own)
        self._outer = outer

    def __missing__(self, name: str) -> Any:
        return self._outer[name]


def _pattern(channel: Channel) -> re.Pattern[str]:
    """Return the wire name's pattern; the longer of two that fit is the one that is meant."""
    parts, done, is_first = [], 0, True
    for place in PLACE.finditer(channel.wire):
        parts.append(re.escape(channel.wire[done : place.start()]))
        parts.append("(?P<symbol>.*)" if is_first else "(?P=symbol)")
        done, is_first = place.end(), False
    return re.compile("".join((*parts, re.escape(channel.wire[done:]))), re.DOTALL)
