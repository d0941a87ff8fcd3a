"""Why one connection or one request did not succeed, to what would make it: one fix for each cause."""

_BY_REASON = {
    "connect_refused": "start the target, or correct host and port in the target file",
    "connect_timeout": "correct host and port in the target file, or let this host through to it",
    "connect_unreachable": "correct host in the target file, or let this host through to it",
    "connect_reset": "correct port in the target file, or set tls: true if it speaks TLS there",
    "dns_failed": "correct host in the target file: this host's name service does not know it",
    "handshake_invalid": "correct port in the target file and ws.url in the dialect: what answers there"
    " speaks no WebSocket",
    "generator_no_row": "add rows to the files in values of the target file: one for each connection",
    "handshake_value_missing": "correct path of values in the target file: the answer has nothing there",
    "generator_descriptors": "raise this host's limit of open files (ulimit -n)",
    "generator_ports": "give source_addresses in the target file: this host has no free port left",
    "generator_memory": "make room on this host: its kernel has no memory for another socket",
    "generator_source_address": "correct source_addresses in the target file",
    "request_timeout": "look at the target: it took the request and did not answer in time",
    "request_slow_body": "look at the target: its answer did not come to an end in time",
    "request_oversized": "raise ws.max_message_bytes in the dialect, or poll something smaller",
    "request_invalid": "correct port in the target file: what answers there speaks no HTTP",
}
_OF_HANDSHAKE = {
    400: "correct ws.url, headers and subprotocols in the dialect: it took the request for no handshake",
    401: "give the credentials that the target asks for, in headers or values of the target file",
    403: "give credentials that may connect, in headers or values of the target file, or correct the"
    " path in ws.url: some servers answer so where nothing is",
    404: "correct the path in ws.url of the dialect: nothing is there",
    421: "set Host in headers of the target file to the name that the target serves",
    426: "correct ws.url and subprotocols in the dialect: it wants another protocol there",
    429: "wait, have the target admit more connections of one address, or give source_addresses in the"
    " target file: it limits them",
    503: "wait until the target has room: it says that it has none",
}
_OF_REQUEST = {
    400: "correct query and body of rest.operation in the dialect, or symbols in the target file",
    401: "give the credentials that the target asks for, in headers of the target file or of http in"
    " the dialect, or poll an operation that needs none",
    403: "give credentials that may read it, in headers of the target file or of http in the dialect,"
    " or poll an operation that needs none",
    421: "set Host in headers of the target file to the name that the target serves",
    404: "correct the path of rest.operation in the dialect, http.base, or symbols in the target file",
    405: "correct the method of rest.operation in the dialect",
    422: "correct query and body of rest.operation in the dialect, or symbols in the target file",
    429: "wait, or have the target admit more requests of one address: it limits them",
    503: "wait until the target has room: it says that it has none",
}
_VALUE_REJECTED = "handshake_value_rejected_"
_REJECTED = "handshake_rejected_"


def handshake_remedy(reason: str) -> str:
    """Return what helps against a handshake that failed for *reason*."""
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
        return "look into the target's log: it failed by itself"
    if status >= 400:
        return f"correct {key} and what else the dialect sends: the target does not take it"
    return (
        f"correct {key} in the dialect, https and the last slash included: no redirect is followed"
    )
