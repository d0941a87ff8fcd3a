"""What is wrong with headers of a handshake or a request, in a dialect or in a target file."""

import re
from collections.abc import Iterable, Iterator

from capacity.settings.dialects.notation import place_findings
from capacity.settings.yaml_files.yaml_file import Finding
from capacity.settings.yaml_files.yaml_nodes import Location
from capacity.workload.dialects.endpoints import Headers, Secret

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token by RFC 9110, section 5.6.2."""
OF_HANDSHAKE = {
    "connection": "",
    "upgrade": "",
    "sec-websocket-key": "",
    "sec-websocket-version": "",
    "sec-websocket-extensions": "; use ws.compression",
    "sec-websocket-protocol": "; use ws.subprotocols",
}
OF_REQUEST = {"connection", "content-length", "transfer-encoding"}


def header_findings(
    headers: Headers, place: Location, known: Iterable[str] = ()
) -> Iterator[Finding]:
    """Yield what is wrong with headers whose texts may hold the values *known*."""
    for name, value in headers.items():
        here = (*place, name)
        if not _HEADER_NAME.fullmatch(name):
            yield here, "is no name of a header: letters, digits and dashes"
        elif isinstance(value, Secret):
            if (value.file is None) == (value.env is None):
                yield here, "needs exactly one of file and env, or is a text"
        elif not value.isprintable() or value != value.strip():
            yield here, "must be one line of visible characters"
        else:
            yield from place_findings(value, here, *known)


def request_header_findings(
    headers: Headers, place: Location, known: Iterable[str]
) -> Iterator[Finding]:
    """Likewise, of a request: some headers are set by what it is."""
    yield from header_findings(headers, place, known)
    for name in headers:
        if name.lower() in OF_REQUEST:
            yield (
                (*place, name),
                "is set by what is sent and by rest.connections of the target file",
            )
