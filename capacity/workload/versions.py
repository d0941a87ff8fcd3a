"""Which version of an instrument an update or an answer holds, so that the two can be compared."""

from typing import Any, NamedTuple

import orjson

from capacity.workload.dialects.compiled import CompiledDialect
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.matching import as_number, getter, item_getter
from capacity.workload.dialects.sequence import rule_for


class Seen(NamedTuple):
    published_at_s: float
    """Epoch seconds of the target's clock."""
    version: int


def versioned_operation(dialect: Dialect) -> str | None:
    """Return the operation whose answers can be compared with what a channel pushes."""
    for name, operation in dialect.rest.items():
        if operation.version is not None and operation.channel is not None:
            return name
    return None


class PushedVersions:
    """Reads the updates of one channel, by its name on the wire."""

    def __init__(self, dialect: CompiledDialect, channel: str) -> None:
        rule = rule_for(dialect.source.sequence, channel)
        self._dialect = dialect
        self._version_of = None if rule is None or rule.seq is None else item_getter(rule.seq)

    def seen(self, message: bytes) -> list[Seen]:
        """Return what *message* publishes with a time and a version; nothing of what is no update."""
        try:
            frame = orjson.loads(message)
        except orjson.JSONDecodeError:
            return []
        for rule in self._dialect.updates:
            if rule.fits(frame):
                items = frame if rule.items is None else rule.items(frame)
                listed = items if type(items) is list else [items]
                found = [self._one(frame, item) for item in listed]
                return [seen for seen in found if seen is not None]
        return []

    def _one(self, frame: Any, item: Any) -> Seen | None:
        clock, version_of = self._dialect.clock, self._version_of
        if clock is None or version_of is None:
            return None
        at, version = clock(frame, item), as_number(version_of(frame, item))
        return None if at is None or version is None else Seen(at, version)


def polled_version(path: str, body: bytes) -> int | None:
    """Return the version that an answer holds; None where it says none."""
    try:
        return as_number(getter(path)(orjson.loads(body)))
    except orjson.JSONDecodeError:
        return None
