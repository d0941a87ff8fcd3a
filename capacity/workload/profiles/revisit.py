"""What a client that comes back sends along: the cookies it was given, the versions that it has.

Validators as in RFC 9110, section 13.1: the ETag and Last-Modified of an answer go back as
If-None-Match and If-Modified-Since, and a target that has nothing newer answers 304, without a body.
Cookies (RFC 6265) go back to the one target that there is, wherever below it they were set.
"""

import re
from collections.abc import Callable, Sequence

MOST_COOKIES = 50
MOST_CHARACTERS = 4096
"""Of a cookie and of a validator; a longer one is not kept. Browsers must keep as many (RFC 6265)."""

_ENDED = re.compile(r"(?i);\s*max-age\s*=\s*(0|-\d+)\s*(;|$)")
_VALIDATORS = (("etag", "If-None-Match"), ("last-modified", "If-Modified-Since"))

HeaderValues = Callable[[str], Sequence[str]]
"""Header name -> its values, none where it does not stand."""


class Revisit:
    """The memory of one client."""

    __slots__ = ("_cookies", "_has_validators", "_validators")

    def __init__(self, *, has_validators: bool) -> None:
        self._has_validators = has_validators
        self._validators: dict[str, bytes] = {}
        self._cookies: dict[str, str] = {}

    def asks_for_newer(self, url: str) -> bool:
        """Tell whether the next request of *url* may be answered 304."""
        return url in self._validators

    def headers(self, url: str) -> bytes:
        """Return the lines to add to a request of *url*."""
        lines = self._validators.get(url, b"")
        if self._cookies:
            pairs = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
            lines += f"Cookie: {pairs}\r\n".encode("latin-1")
        return lines

    def learn(self, url: str, status: int, values_of: HeaderValues) -> None:
        """Keep what an answer with *status* says."""
        for cookie in values_of("set-cookie"):
            self._keep_cookie(cookie)
        if self._has_validators and status == 200:
            lines = "".join(
                f"{ours}: {value}\r\n"
                for theirs, ours in _VALIDATORS
                for value in values_of(theirs)[:1]
                if len(value) <= MOST_CHARACTERS
            )
            if lines:
                self._validators[url] = lines.encode("latin-1")
            else:
                self._validators.pop(url, None)

    def _keep_cookie(self, cookie: str) -> None:
        name, separator, value = cookie.partition(";")[0].strip().partition("=")
        if _ENDED.search(cookie):
            self._cookies.pop(name, None)
            return
        has_room = name in self._cookies or len(self._cookies) < MOST_COOKIES
        if separator and name and has_room and len(name) + len(value) <= MOST_CHARACTERS:
            self._cookies[name] = value
