"""What happens in a run in words, for a terminal and for the live page: those events that need a sentence."""

from collections.abc import Callable, Mapping
from typing import Any

from capacity.domain import units
from capacity.domain.resources import Resource
from capacity.domain.run import LIMIT_CHANGED, LIMITS_UNREAD
from capacity.domain.words import RESOURCES

Detail = Mapping[str, Any]


def event_in_words(kind: str, detail: Detail) -> str | None:
    """Return the sentence of an event; None where its kind has none, or a record lacks what it tells."""
    say = _SENTENCES.get(kind)
    try:
        return None if say is None else say(detail)
    except (KeyError, TypeError, ValueError):
        return None


def _limit_changed(detail: Detail) -> str:
    limit = detail["limit"]
    resource = Resource(limit["resource"])
    was, is_now = (
        each["state"] if each["value"] is None else units.amount(each["value"], resource)
        for each in (detail["before"], limit)
    )
    return f"limit on {RESOURCES[resource]} changed from {was} to {is_now} ({limit['source']})"


def _storm(detail: Detail) -> str:
    return (
        f"storm drill {detail['number'] + 1}: {units.share(detail['share_ratio'])} of"
        f" {units.counted(detail['connections'], 'connection')} are cut and come back, {detail['habit']}"
    )


def _storm_over(detail: Detail) -> str:
    last = "" if detail["last_s"] is None else f", the last after {detail['last_s']:.1f} s"
    aborted = "" if detail["aborted"] is None else f"; aborted: {detail['aborted']}"
    return (
        f"storm drill {detail['number'] + 1}: {detail['restored']} of {detail['cut']} came back{last};"
        f" {units.counted(detail['failed'], 'attempt')} failed{aborted}"
    )


def _trial(detail: Detail) -> str:
    asked = units.counted(detail["connections"], "connection")
    if detail["failure"] is None:
        return f"trial of {asked}: held for {units.duration(detail['plateau_s'])}"
    return f"trial of {asked}: failed; {detail['reason']}"


def _newcomers(detail: Detail) -> str:
    who = "newcomers"
    if detail.get("client") is not None:
        is_one = detail["refused"] == detail["tried"]
        others = "" if is_one else " and of others"
        who = f"logins of client {detail['client'] + 1}{others}"
    why = "" if detail["reason"] is None else f" ({detail['reason']})"
    if not detail["tried"]:
        return f"with the load off, it could not be told whether {who} are refused{why}"
    return f"with the load off, {detail['refused']} of {detail['tried']} {who} were refused{why}"


def _refused_login(detail: Detail) -> str:
    row = "" if detail["row"] is None else f", {detail['row']}"
    return f"the target refused the login of client {detail['client'] + 1}{row}"


_SENTENCES: dict[str, Callable[[Detail], str]] = {
    LIMIT_CHANGED: _limit_changed,
    LIMITS_UNREAD: lambda detail: (
        f"the target's limits could not be read again at the end; they are those of {detail['since_s']:.0f} s"
        " before"
    ),
    "newcomers": _newcomers,
    "refused_login": _refused_login,
    "target_gone": lambda _detail: "the target's process ended, as the agent sees it",
    "target_restarted": lambda _detail: "the target was restarted, as the agent sees it",
    "trial": _trial,
    "target_said": lambda detail: f"the target said: {detail['text']}",
    "unmatched_frame": lambda detail: f"of a message of the target: {detail['reason']}",
    "storm": _storm,
    "storm_over": _storm_over,
    "storm_skipped": lambda detail: f"no storm drill: {detail['reason']}",
}
