"""Has an HTTP proxy connect to the target in our stead (CONNECT, RFC 9110 section 9.3.6)."""

import re
from typing import Any

from websocket import WebSocketException

from capacity.loadgen.wire.response_head import read_head

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)\b")


class ProxyError(OSError):
    """The way to the proxy failed (its cause says how), or it does not connect us: the reason."""


def tunnel(sock: Any, host: str, port: int) -> None:
    """Make *sock*, connected to a proxy, one to *host* and *port*. Raises ProxyError."""
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    request = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n"
    try:
        sock.sendall(request.encode())
        head = read_head(sock)
    except WebSocketException:
        raise ProxyError("proxy_invalid") from None
    except OSError as error:
        raise ProxyError from error
    if not head:
        raise ProxyError("proxy_connect_reset")
    answer = _STATUS.match(head)
    if answer is None:
        raise ProxyError("proxy_invalid")
    status = int(answer[1])
    if not 200 <= status < 300:
        raise ProxyError(f"proxy_rejected_{status}")
