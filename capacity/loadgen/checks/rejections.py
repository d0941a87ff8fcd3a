"""Why one connection or one request did not succeed, to what would make it: one fix for each cause."""

import re
import ssl

from capacity.domain import units
from capacity.domain.words import says_too_fast
from capacity.loadgen.wire.handshake import HandshakeError
from capacity.loadgen.wire.http_connection import ExchangeError

_BY_REASON = {
    "connect_refused": "start the target, or correct host and port",
    "connect_timeout": "correct host and port, or open the firewall for this host",
    "connect_unreachable": "correct host in the target file, or open the route or firewall for this host",
    "connect_reset": "correct port in the target file, or set tls: true if it speaks TLS there",
    "dns_failed": "correct host in the target file: it does not resolve on this host",
    "handshake_invalid": "correct port in the target file and ws.url in the dialect: the server there"
    " does not speak WebSocket",
    "generator_no_row": "add rows to the files in values of the target file: one for each connection",
    "handshake_value_missing": "correct path of values in the target file: the answer has nothing there",
    "handshake_opening_timeout": "correct opening in the dialect: the target answered a step of it in no"
    " time that ws.open_timeout_s allows",
    "handshake_opening_refused": "correct the values of the target file that opening of the dialect needs",
    "generator_descriptors": "raise this host's limit of open files (ulimit -n)",
    "generator_ports": "set source_addresses in the target file: this host has no free port left",
    "generator_memory": "free memory on this host: its kernel cannot allocate another socket",
    "generator_source_address": "correct source_addresses in the target file",
    "request_timeout": "check the target: it accepted the request and did not respond in time",
    "request_slow_body": "check the target: its response was not complete in time",
    "request_oversized": "raise ws.max_message_bytes in the dialect, or poll something smaller",
    "request_invalid": "correct port in the target file: the server there does not speak HTTP",
}
_OF_HANDSHAKE = {
    400: "correct ws.url, headers and subprotocols in the dialect: the target rejects the handshake",
    401: "set the credentials that the target requires in headers or values of the target file",
    403: "set credentials that may connect in headers or values of the target file, or correct the path"
    " in ws.url: some servers send 403 for unknown paths",
    404: "correct the path in ws.url of the dialect: it does not exist",
    421: "set Host in headers of the target file to the name that the target serves",
    418: "wait as long as the target says, and ask it less often: some ban an address so",
    426: "correct ws.url and subprotocols in the dialect: the target requires another protocol",
    429: "wait, raise the target's per-client connection rate limit, or set source_addresses in the"
    " target file",
    503: "wait until the target has room: it says that it has none",
}
_OF_REQUEST = {
    400: "correct query and body of rest.operation in the dialect, or symbols in the target file",
    401: "set the credentials that the target requires in headers of the target file or of http in the"
    " dialect, or poll an operation that needs none",
    403: "set credentials that may read it in headers of the target file or of http in the dialect, or"
    " poll an operation that needs none",
    421: "set Host in headers of the target file to the name that the target serves",
    404: "correct the path of rest.operation in the dialect, http.base, or symbols in the target file",
    405: "correct the method of rest.operation in the dialect",
    418: "wait as long as the target says, and ask it less often: some ban an address so",
    422: "correct query and body of rest.operation in the dialect, or symbols in the target file",
    429: "wait, or raise the target's per-client request rate limit",
    503: "wait until the target has room: it says that it has none",
}
_VALUE_REJECTED = "handshake_value_rejected_"
_REJECTED = "handshake_rejected_"
_LOGIN = re.compile("(?i)log.?in|unauthori[sz]ed|not authenticated|auth(entication)? required")
_BANNED = re.compile("(?i)\\b(banned|blocked|blacklist(ed)?|denylist(ed)?)\\b")
_CAP = re.compile(
    "(?i)(too many|max(imum)?|limit|exceed|cap|quota|up to|more than).{0,40}"
    "(subscription|channel|topic|stream|symbol|instrument|args|product)"
    "|(subscription|channel|topic|stream|symbol|instrument|product).{0,40}(limit|exceed|maximum|quota|too many)"
)
TOO_MANY = (
    "lower mix.subscriptions_per_connection of the profile to what the target takes of one connection, or"
    " raise its cap"
)
"""What helps where a connection, or an account, may have no more subscriptions."""


def handshake_remedy(reason: str, told: str = "") -> str:
    """Return what helps against a handshake that failed for *reason*; *told* is what the target said."""
    if _BANNED.search(told):
        return _OF_HANDSHAKE[418]
    if reason.startswith(_VALUE_REJECTED):
        return answer_remedy(int(reason.removeprefix(_VALUE_REJECTED)))
    if reason.startswith(_REJECTED):
        status = int(reason.removeprefix(_REJECTED))
        return _OF_HANDSHAKE.get(status) or _of_class(status, "ws.url")
    return _BY_REASON.get(reason, "correct host, port and dialect in the target file")


def request_remedy(reason: str) -> str:
    """Return what helps against a request without an answer."""
    same = _BY_REASON.get(reason) or _BY_REASON.get(reason.removeprefix("request_"))
    return same or "correct host, port and rest.operation in the target file"


def answer_remedy(status: int) -> str:
    """Return what helps against an answer that is no success."""
    return _OF_REQUEST.get(status) or _of_class(status, "http.base")


def _of_class(status: int, key: str) -> str:
    if status >= 500:
        return "check the target's log: the error is on its side"
    if status >= 400:
        return f"correct {key} and what else the dialect sends: the target rejects it"
    return (
        f"correct {key} in the dialect, https and the last slash included: no redirect is followed"
    )


def known_trouble(error: HandshakeError | ExchangeError, waited_s: float) -> str | None:
    """Return what is wrong on the way to the target, and what to do; None if that is not it.

    *waited_s* is how long an answer was waited for.
    """
    reason, cause = str(error), error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"the target's certificate is not accepted ({reason}: {cause.verify_message}); name the "
            "authority that signed it as certificates.ca_file in the target file, or the name that it "
            "is for as certificates.server_name"
        )
    if reason == "tls_client_certificate":
        return (
            f"the target rejects our client certificate ({reason}); set one that it trusts as "
            "certificates.client_certificate_file, with client_key_file, in the target file"
        )
    if reason.startswith("proxy_"):
        return (
            f"the proxy rejects the connection ({reason}); correct proxy in the target file, or let the "
            "proxy allow CONNECT to this host and port"
        )
    if reason == "connect_timeout" and isinstance(error, HandshakeError) and error.is_connected:
        return (
            "the target took the connection and did not answer the handshake within"
            f" {units.duration(waited_s)} ({reason}); look at the target, or correct port and tls in the"
            " target file"
        )
    if reason == "tls_failed":
        return f"no TLS on this port ({reason}); correct port, or remove tls: true from the target file"
    return None


def refusal_remedy(told: str) -> str:
    """Return what helps against a refused subscription, by the words of the refusal."""
    if says_too_fast(told):
        return "set ws.requests_per_s in the dialect, or subscribe to many channels in one frame"
    if _LOGIN.search(told):
        return "put the login into opening of the dialect, so that the subscriptions wait for its answer"
    if says_too_many(told):
        return TOO_MANY
    return "correct channels and symbols in the target file"


def says_too_many(text: str) -> bool:
    """Tell whether words of the target complain of the number of subscriptions."""
    return _CAP.search(text) is not None
