"""One connection before thousands: does the target speak the dialect at all?"""

import contextlib
import itertools
import ssl
import time
from dataclasses import dataclass, replace
from typing import Any

from capacity.domain.errors import UnreachableError
from capacity.domain.words import says_too_fast
from capacity.loadgen.checks.not_confirmed import LoginRefusedError, NotConfirmedError
from capacity.loadgen.checks.rejections import handshake_remedy, known_trouble
from capacity.loadgen.checks.trial_conversation import TrialConversation
from capacity.loadgen.checks.watcher import NoWatcher, Watcher
from capacity.loadgen.wire.connection_values import ConnectionValues
from capacity.loadgen.wire.endpoint import endpoint_of
from capacity.loadgen.wire.handshake import HandshakeError
from capacity.loadgen.wire.streams.opener import open_connection
from capacity.loadgen.wire.tls import client_context
from capacity.planning.safety.heard_updates import Heard
from capacity.settings.target import Target
from capacity.settings.values import row_of
from capacity.workload.dialects.address import channels_of, shown_url, websocket_url
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.redaction import redacted_words
from capacity.workload.dialects.values import NOTHING

TRIAL_S = 5.0
MOST_ALONE = 8
"""Channels that are tried one by one, after they were not confirmed together."""
_SPOKEN = {"websocket": "WebSocket", "event_stream": "event stream", "long_poll": "long poll"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one connection met."""

    opened_s: float
    """From the first packet to the last confirmation."""
    updates_per_s: float | None
    """While it listened; None where it was not to."""
    heard: Heard
    """What came since it was confirmed."""
    certificate_ends_at: float | None
    """Epoch seconds; None without TLS."""


def try_conversation(
    target: Target,
    dialect: Dialect,
    *,
    subscriptions: int = 1,
    listen_s: float = 0.0,
    watcher: Watcher | None = None,
) -> Trial:
    """Connect, subscribe and see it confirmed, then listen for so long.

    Raises UnreachableError with what went wrong, or ConfigError for unusable certificates. Where some of
    several channels are refused that are confirmed one by one, what went wrong is a cap.
    """
    channels = channels_of(dialect, 0, target.channels, target.symbols, subscriptions)
    try:
        return _tried(target, dialect, channels, listen_s, watcher or NoWatcher())
    except NotConfirmedError as refused:
        alone = refused.channels[:MOST_ALONE]
        has_one_cause = len(channels) > 1 and len(alone) == len(refused.channels)
        if not has_one_cause or says_too_fast(refused.why):
            raise
        for channel in alone:
            try:
                _tried(target, dialect, [channel], 0.0, NoWatcher())
            except UnreachableError:
                raise refused from None
        raise UnreachableError(refused.as_cap(len(channels))) from None


def try_private(target: Target, dialect: Dialect, *, listen_s: float = 0.0) -> Trial:
    """Log in and subscribe as the first client of *target*, which has private connections.

    Raises UnreachableError, or ConfigError for what cannot be read.
    """
    own = target.privately()
    subscriptions = len(own.channels) * max(1, len(own.symbols))
    try:
        return try_conversation(own, dialect, subscriptions=subscriptions, listen_s=listen_s)
    except UnreachableError as error:
        raise UnreachableError(f"private connection: {error}") from None


def is_login_refused(target: Target, dialect: Dialect, client: int) -> bool:
    """Connect and log in as the client of *target* with this number; return whether it was refused.

    Raises UnreachableError where it came not so far, or ConfigError.
    """
    channels = channels_of(dialect, 0, target.channels, target.symbols, 1)
    try:
        _tried(target, dialect, channels, 0.0, NoWatcher(), client=client)
    except LoginRefusedError:
        return True
    except NotConfirmedError:  # Asked for behind the login.
        return False
    return False


def _tried(
    target: Target,
    dialect: Dialect,
    channels: list[str],
    listen_s: float,
    watcher: Watcher,
    *,
    client: int = 0,
) -> Trial:
    if target.tls:
        client_context(target.certificates)
    given = ConnectionValues(target, dialect, itertools.repeat(None))
    url = websocket_url(
        dialect,
        host=target.host,
        port=target.port,
        tls=target.tls,
        channels=channels,
        values=dict.fromkeys((*dialect.needs, *dialect.signatures, "connection"), "0"),
    )
    began_s, values = time.monotonic(), NOTHING
    try:
        values = given.of(client)
        endpoint = endpoint_of(target, dialect, channels, values=values)
        opened = open_connection(replace(endpoint, timeout_s=min(endpoint.timeout_s, TRIAL_S)))
    except HandshakeError as error:
        said = None if error.told is None else redacted_words(error.told, values)
        why = f"{error}: {said}" if said is not None else str(error)
        nothing = (
            f"no {_SPOKEN[dialect.ws.transport]} there ({why}); {handshake_remedy(str(error), why)}"
        )
        raise UnreachableError(
            f"{shown_url(url)}: {known_trouble(error, TRIAL_S) or nothing}"
        ) from None
    with opened.socket:
        talk = TrialConversation(
            opened,
            dialect,
            channels,
            shown_url(url),
            values,
            watcher=watcher,
            within_s=TRIAL_S,
            row=row_of(target.values, client),
        )
        talk.subscribe()
        opened_s = time.monotonic() - began_s
        updates_per_s = talk.updates(listen_s) / listen_s if listen_s else None
        with contextlib.suppress(OSError):  # It is closed all the same.
            opened.socket.send(talk.goodbye)
        return Trial(
            opened_s=opened_s,
            updates_per_s=updates_per_s,
            heard=talk.heard_frames.heard(talk.listened_s, talk.ended()),
            certificate_ends_at=_certificate_ends_at(opened.socket),
        )


def _certificate_ends_at(connected: Any) -> float | None:
    if not isinstance(connected, ssl.SSLSocket):
        return None
    ends = (connected.getpeercert() or {}).get("notAfter")
    return ssl.cert_time_to_seconds(ends) if isinstance(ends, str) else None
