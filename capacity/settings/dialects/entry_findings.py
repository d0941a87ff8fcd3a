"""What is wrong with a dialect's orders and versions although every value has the right type."""

import re
from collections.abc import Iterator

from capacity.settings.dialects.notation import ack_findings, path_findings
from capacity.settings.yaml_files.yaml_file import Finding
from capacity.settings.yaml_files.yaml_nodes import Location
from capacity.workload.dialects.dialect import Dialect, Operation
from capacity.workload.dialects.order_entry import OrderEntry

_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_OF_REQUEST = {"connection", "content-length", "transfer-encoding"}


def entry_findings(entry: OrderEntry) -> Iterator[Finding]:
    """Yield what is wrong with how orders are placed."""
    has_frames = any(request.send is not None for _name, request in entry.requests())
    yield from ack_findings(entry.answer, ("orders", "answer"), has_id=has_frames)
    for name, request in entry.requests():
        place: Location = ("orders", name)
        if request.send is None and request.path is None:
            yield place, "has neither send (over WebSocket) nor path (over REST)"
        if request.path is not None and not request.path.startswith("/"):
            yield (*place, "path"), f"must begin with / (got {request.path!r})"
        if request.weight < 0.0:
            yield (*place, "weight"), f"must be 0 or more (got {request.weight:g})"
        for kept, where in request.keep.items():
            yield from path_findings(where, (*place, "keep", kept))
    for header in entry.headers:
        if not _HEADER_NAME.fullmatch(header) or header.lower() in _OF_REQUEST:
            yield ("orders", "headers", header), "is no header that can be set here"


def version_findings(dialect: Dialect, operation: Operation, place: Location) -> Iterator[Finding]:
    """Yield what is wrong with what an operation has to compare its freshness by."""
    if (operation.version is None) != (operation.channel is None):
        yield place, "channel and version go together"
    elif operation.channel not in {None, *dialect.channels}:
        yield (*place, "channel"), f"there is no channel {operation.channel}"
