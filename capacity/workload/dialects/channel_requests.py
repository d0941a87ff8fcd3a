"""What stands for a channel in a request: its name on the wire, or a tree that names it otherwise."""

import re
from typing import Any

from capacity.workload.dialects.dialect import Channel, Dialect
from capacity.workload.dialects.template import PLACE, fill


class ChannelRequests:
    """Looked up by wire name; the symbol is read back out of it."""

    def __init__(self, dialect: Dialect) -> None:
        channels = sorted(dialect.channels.values(), key=lambda one: -len(one.wire))
        self._forms = [(_pattern(channel), channel.request) for channel in channels]
        self._found: dict[str, Any] = {}

    def of(self, channel: str) -> Any:
        """Return what stands for the channel with this wire name."""
        if channel not in self._found:
            self._found[channel] = self._made(channel)
        return self._found[channel]

    def _made(self, channel: str) -> Any:
        for pattern, request in self._forms:
            found = pattern.fullmatch(channel)
            if found is not None:
                return channel if request is None else fill(request, found.groupdict())
        return channel


def _pattern(channel: Channel) -> re.Pattern[str]:
    """Return the wire name's pattern; the longer of two that fit is the one that is meant."""
    parts, done, is_first = [], 0, True
    for place in PLACE.finditer(channel.wire):
        parts.append(re.escape(channel.wire[done : place.start()]))
        parts.append("(?P<symbol>.*)" if is_first else "(?P=symbol)")
        done, is_first = place.end(), False
    return re.compile("".join((*parts, re.escape(channel.wire[done:]))), re.DOTALL)
