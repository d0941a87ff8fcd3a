"""What is wrong with the book of a numbering rule whose updates carry checksums."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from capacity.settings.dialects.notation import path_findings
from capacity.settings.yaml_files.yaml_file import Finding
from capacity.settings.yaml_files.yaml_nodes import Location
from capacity.workload.dialects.checksum import MOST_DEPTH, Book
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.matching import as_number, getter
from capacity.workload.dialects.sequence import Sequence

_PATHS = ("checksum", "bids", "asks", "price", "size")


def book_findings(dialect: Dialect, rule: Sequence, place: Location) -> Iterator[Finding]:
    """Yield what is wrong with the book of one rule, which stands at *place*."""
    book = rule.book
    if book is None:
        if rule.rule == "checksum":
            yield place, "rule checksum needs book"
        return
    here: Location = (*place, "book")
    if rule.rule == "none":
        yield here, "rule none has no use for it; checksum has"
    if rule.rule == "checksum" and rule.seq is not None:
        yield (*place, "seq"), "rule checksum has no use for it; book says where the checksum is"
    for key in _PATHS:
        yield from path_findings(getattr(book, key), (*here, key))
    if not 0.0 < book.share <= 1.0:
        yield (*here, "share"), f"must be more than 0 and at most 1 (got {book.share:g})"
    yield from _depth(dialect, rule, book, (*here, "depth"))
    messages = dialect.messages
    if messages.list or messages.pattern or messages.content != "json":
        yield here, "is read where each message is one JSON text; leave it out here"
    elif dialect.ws.transport == "event_stream":
        yield here, "is read from WebSocket messages and polls; leave it out here"


def _depth(dialect: Dialect, rule: Sequence, book: Book, here: Location) -> Iterator[Finding]:
    depth = book.depth
    if isinstance(depth, int):
        if not 1 <= depth <= MOST_DEPTH:
            yield here, f"must be 1 to {MOST_DEPTH} levels (got {depth})"
        return
    yield from path_findings(depth, here)
    for name, channel in dialect.channels.items():
        if fnmatchcase(channel.wire, rule.only):
            found = as_number(getter(depth)(channel.request))
            if found is None or not 1 <= found <= MOST_DEPTH:
                yield (
                    here,
                    (
                        f"must be a number, or the path of one in the request of the channel: 1 to {MOST_DEPTH}"
                        f" levels at {depth} in channels.{name}.request (got {depth!r})"
                    ),
                )
