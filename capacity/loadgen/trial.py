"""One connection and one request before thousands: does the target speak the dialect at all?"""

import time

import requests
import websocket

from capacity.domain.errors import UnreachableError
from capacity.loadgen.handshake import Endpoint, HandshakeError, open_websocket
from capacity.settings.target import Target
from capacity.workload.address import channels_of, rest_request, websocket_url
from capacity.workload.compiled import compile_dialect
from capacity.workload.conversation import Conversation
from capacity.workload.dialect import Dialect
from capacity.workload.reception import Kind

TRIAL_S = 5.0


def try_conversation(target: Target, dialect: Dialect) -> None:
    """Connect, subscribe and see it confirmed. Raises UnreachableError with what went wrong."""
    channels = channels_of(dialect, 0, target.channels, target.symbols, 1)
    url = websocket_url(
        dialect, host=target.host, port=target.port, tls=target.tls, channels=channels
    )
    endpoint = Endpoint(
        url=url,
        timeout_s=min(dialect.ws.open_timeout_s, TRIAL_S),
        headers=tuple(f"{name}: {value}" for name, value in dialect.ws.headers.items()),
        subprotocols=dialect.ws.subprotocols,
    )
    try:
        sock = open_websocket(endpoint)
    except HandshakeError as error:
        raise UnreachableError(
            f"{url}: no WebSocket there ({error}); start the target, or correct host, port and dialect "
            "in the target file"
        ) from None
    client = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
    client.sock, client.connected = sock, True
    try:
        _subscribe(
            client, Conversation(compile_dialect(dialect), channels), channels, url, dialect.name
        )
    finally:
        client.close(timeout=1)


def _subscribe(
    client: websocket.WebSocket,
    conversation: Conversation,
    channels: list[str],
    url: str,
    dialect_name: str,
) -> None:
    for frame in (*conversation.opening(), *conversation.subscribe(channels)):
        client.send(frame)
    deadline_s = time.monotonic() + TRIAL_S
    seen = 0
    while conversation.pending:
        client.settimeout(max(0.01, deadline_s - time.monotonic()))
        try:
            payload = client.recv()
        except (websocket.WebSocketException, OSError) as error:
            raise UnreachableError(
                f"{url}: {', '.join(channels)} was not confirmed in dialect {dialect_name} within "
                f"{TRIAL_S:.0f} s ({seen} other frames came; {type(error).__name__}); correct dialect, "
                "channels and symbols in the target file"
            ) from None
        seen += 1
        reception = conversation.receive(payload.encode() if isinstance(payload, str) else payload)
        if reception.kind is Kind.REJECTED:
            raise UnreachableError(
                f"{url}: the target refuses {', '.join(channels)} ({reception.problem}); correct "
                "channels and symbols in the target file"
            )
        for reply in reception.replies:
            client.send(reply)


def try_request(target: Target, dialect: Dialect) -> None:
    """Make the target file's REST request once. Raises UnreachableError unless it succeeds."""
    assert target.rest is not None
    method, url, body = rest_request(
        dialect,
        target.rest.operation,
        host=target.host,
        port=target.port,
        tls=target.tls,
        symbol=target.symbols[0] if target.symbols else "",
    )
    session = requests.Session()
    session.trust_env = False
    try:
        response = session.request(method, url, data=body, timeout=TRIAL_S)
    except requests.RequestException as error:
        raise UnreachableError(
            f"{url}: no answer to the REST request ({type(error).__name__}); correct rest.operation or "
            "the dialect"
        ) from None
    if not response.ok:
        raise UnreachableError(
            f"{url}: the REST request is answered {response.status_code}; correct rest.operation, "
            "symbols or the dialect"
        )
