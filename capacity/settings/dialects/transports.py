"""What makes no sense in a dialect whose updates do not come over a WebSocket."""

from collections.abc import Iterator, Mapping

from capacity.settings.yaml_files.yaml_file import Finding
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.encodings.payload import Messages
from capacity.workload.dialects.endpoints import WebSocket

_OF_WEBSOCKETS = {
    "subprotocols": (),
    "compression": "none",
    "requests_per_s": None,
    "total_requests_per_s": None,
}
_DIVIDING = {"packing": "none", "divider": "none", "pattern": None}
_SENDING = ("subscribe", "unsubscribe", "opening", "heartbeat", "orders")


def transport_findings(dialect: Dialect) -> Iterator[Finding]:
    """Yield it all."""
    transport = dialect.ws.transport
    if dialect.ws.next_headers and transport != "long_poll":
        yield (
            ("ws", "next_headers"),
            "is of long polls; set ws.transport to long_poll, or leave it out",
        )
    if transport == "websocket":
        return
    for section in _SENDING:
        if getattr(dialect, section):
            yield (
                (section,),
                f"sends what {transport} cannot carry; put it into ws.url or ws.headers",
            )
    for key in _changed(dialect.ws, _OF_WEBSOCKETS):
        yield ("ws", key), f"is of WebSockets; leave it out where ws.transport is {transport}"
    if dialect.messages.content == "mqtt":
        yield ("messages", "content"), "mqtt is spoken over WebSockets"
    if transport == "event_stream":
        for key in _changed(dialect.messages, _DIVIDING):
            yield ("messages", key), "is of no use where events are divided by themselves"


def _changed(section: WebSocket | Messages, usual: Mapping[str, object]) -> Iterator[str]:
    """Yield the keys that are not as usual."""
    return (key for key, value in usual.items() if getattr(section, key) != value)
