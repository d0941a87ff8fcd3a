"""What resources and parts of the load are called, and how a stranger's text is made harmless to show.

Names of targets, files and reasons come from elsewhere: they may hold control characters,
direction overrides or halves of characters, and they may be long.
"""

import re
from collections.abc import Sequence

from capacity.domain.resource_facts import RESOURCE_FACTS

LONGEST_TEXT = 400
LONGEST_SENTENCE = 4000
"""Of ours, which may quote several."""
UNASKED_ERROR = "an error that answers no request"
"""Of a target's message that looks as its refusals do, such as of a login that has ended."""
_SHOWN_PORTS = 3
_NOT_LOGGED_IN = re.compile(
    r"(?i)log.?in\b|not logged|unauthori[sz]ed|not authenticated|auth(entication)? required"
    r"|(token|session|credentials?|listen.?key)\W.{0,20}(expired|ended|invalid)|expired.{0,20}(token|session|credential)"
)
_PACE = re.compile(
    r"(?i)too[ _](many|much)[ _](requests?|messages|visits|logins|attempts)\b|too[ _](frequent|often)"
    r"|rate.?limit|too fast|slow down"
)

RESOURCES = {resource: facts.label for resource, facts in RESOURCE_FACTS.items()}

LOADS: dict[str, str] = {
    "connections": "connections",
    "deliveries_per_s": "deliveries",
    "requests_per_s": "requests",
    "handshakes_per_s": "handshakes",
}
"""Fields of LoadVector that costs are attributed to."""


def says_too_fast(text: str) -> bool:
    """Tell whether words of a target complain of the pace."""
    return _PACE.search(text) is not None


def says_login_ended(text: str) -> bool:
    """Tell whether words of a target say that who speaks to it is not, or no longer, logged in."""
    return _NOT_LOGGED_IN.search(text) is not None


def at_ports(name: str, ports: Sequence[int]) -> str:
    """Return "name", "name at port 80" or "name at ports 80, 81 and 9 more"."""
    if not ports:
        return name
    shown = [str(port) for port in ports[:_SHOWN_PORTS]]
    more = len(ports) - len(shown)
    noun = "port" if len(ports) == 1 else "ports"
    return f"{name} at {noun} {listed([*shown, *([f'{more} more'] if more else [])])}"


def listed(names: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def printable(value: object, longest: int = LONGEST_TEXT) -> str:
    """Return *value* as one line of visible characters, cut where it grows unreadable."""
    text = str(value)
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else " " if character.isspace() else "\ufffd"
        for character in text
    )


def private_part(private: int | None) -> str:
    """Return how many of some connections are private, to stand behind them; nothing where none can be."""
    return "" if private is None else f", {private} of them private"
