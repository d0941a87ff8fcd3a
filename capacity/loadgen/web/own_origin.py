"""Who may speak to Locust's web UI: pages of its own, under a name that is its own.

Locust has no authentication by default, and lets every page of the web read its answers. A browser
that an operator sits at would carry out what any page asks for (CSRF), and hand over what it reads
where a stranger's name leads to this address (DNS rebinding). Applies to all of Locust's pages.
"""

import platform
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

READING = frozenset({"GET", "HEAD", "OPTIONS"})
_ADDED = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "same-origin"),
]

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class OwnOriginOnly:
    """Goes around a WSGI application; what it refuses never reaches it."""

    def __init__(self, application: Application, web_host: str, names: Iterable[str] = ()) -> None:
        """Take the address that is listened on, and *names* that a proxy serves it under."""
        self._application = application
        self._is_open = not _is_loopback(web_host) if web_host not in {"", "*"} else True
        self._names = {"localhost", *(name.lower() for name in names)}
        if self._is_open:
            self._names |= {platform.node().lower(), web_host.lower()}

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        trouble = next(self._troubles(environ), None)
        if trouble is not None:
            start_response(
                "403 Forbidden", [("Content-Type", "text/plain; charset=utf-8"), *_ADDED]
            )
            return [trouble.encode()]

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            kept = [pair for pair in headers if not pair[0].lower().startswith("access-control-")]
            known = {name.lower() for name, _value in kept}
            added = [pair for pair in _ADDED if pair[0].lower() not in known]
            return start_response(status, kept + added, *error)

        return self._application(environ, start)

    def _troubles(self, environ: dict[str, Any]) -> Iterator[str]:
        host = str(environ.get("HTTP_HOST", "")).lower()
        if not self._is_ours(_name_in(host)):
            yield (
                "This page is not served under that name; use its address, or start Locust with"
                " --capacity-web-names NAME."
            )
        if environ.get("REQUEST_METHOD") in READING:
            return
        origin = environ.get("HTTP_ORIGIN")
        if origin is None and "HTTP_REFERER" in environ:
            origin = environ["HTTP_REFERER"]
        if origin is not None and urlsplit(str(origin).lower()).netloc != host:
            yield "Another origin may not change anything here; open this page itself."
        if environ.get("HTTP_SEC_FETCH_SITE", "none") not in {"same-origin", "none"}:
            yield "Another site may not change anything here; open this page itself."

    def _is_ours(self, name: str) -> bool:
        if not name:
            return False
        if name in self._names or _is_loopback(name):
            return True
        # An address cannot be made to lead elsewhere, as a name can.
        return self._is_open and _is_address(name)


def _name_in(host: str) -> str:
    """Return the name or address in a Host header; nothing where that is not plain."""
    if not host.isascii() or not host.isprintable() or set(host) & set("/?#@\\ "):
        return ""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return name == "localhost" or (_is_address(name) and ip_address(name).is_loopback)
