"""What is wrong with the small notations of a dialect: paths, names, matchers, placeholders."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from capacity.settings.yaml_files.yaml_file import Finding
from capacity.settings.yaml_files.yaml_nodes import Location
from capacity.workload.dialects.answers import Ack, id_place
from capacity.workload.dialects.matching import OPERATORS, Matcher, matches, paths_of
from capacity.workload.dialects.template import CASTS, TIMES, is_of_entries, places

_ALMOST_ROOT = re.compile(r"\$[^.]")
_LISTS = ("list", "entries")
_PATH = re.compile(r"(\$\.)?[^.\s\[\]{}]+(\.[^.\s\[\]{}]+)*")


def matcher_findings(matcher: Matcher, place: Location) -> Iterator[Finding]:
    """Yield what is wrong with a matcher: its paths, operators and operands."""
    for path, expected in matcher.items():
        here = (*place, path)
        yield from path_findings(path, here)
        if not isinstance(expected, Mapping):
            continue
        if len(expected) != 1 or next(iter(expected)) not in OPERATORS:
            yield here, f"must be a value or one of {', '.join(OPERATORS)} with its operand"
            continue
        ((operator, operand),) = expected.items()
        if operator == "exists" and not isinstance(operand, bool):
            yield (*here, operator), "must be true or false"
        elif operator == "in" and not isinstance(operand, list):
            yield (*here, operator), "must be a list"
        elif operator == "regex":
            try:
                re.compile(operand)
            except (re.error, TypeError) as error:
                yield (*here, operator), f"no regular expression: {error}"


def place_findings(tree: Any, place: Location, *allowed: str) -> Iterator[Finding]:
    """Yield which placeholders of a template have no value, or a form that they cannot take."""
    for each in dict.fromkeys(places(tree)):
        name, more, cast, is_whole = each
        shown = each.shown
        if name not in allowed:
            known = ", ".join(f"{{{one}}}" for one in allowed)
            yield place, f"{shown} has no value here; there is {known}"
        elif more and name not in TIMES:
            times = ", ".join(f"{{{time}}}" for time in TIMES)
            yield place, f"{shown} adds to what is no time; there are {times}, each in its own unit"
        elif cast is not None and cast not in CASTS:
            yield place, f"{shown} has an unknown form; there are {', '.join(CASTS)}"
        elif (cast in _LISTS) != (name == "channels") and (cast or name != "channels"):
            form = "a list: {channels:list}" if name == "channels" else f"no list: {{{name}}}"
            yield place, f"{shown} does not go together; it is {form}"
        elif cast in _LISTS and not is_whole:
            yield place, f"{shown} is a list and must stand alone"
    for shown in _entries_elsewhere(tree):
        yield place, f"{shown} stands for entries of a list and must be one itself: [..., {shown}]"


def _entries_elsewhere(tree: Any, *, is_entry: bool = False) -> Iterator[str]:
    """Yield every {channels:entries} that is no entry of a list."""
    if isinstance(tree, Mapping):
        for value in tree.values():
            yield from _entries_elsewhere(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from _entries_elsewhere(value, is_entry=True)
    elif is_of_entries(tree) and not is_entry:
        yield tree


def _is_met(matcher: Matcher, known: Matcher) -> bool:
    """Tell whether all that fits *known* fits *matcher* too."""
    return all(
        path in known
        and (known[path] == expected or matches({"it": expected})({"it": known[path]}))
        and not (isinstance(known[path], Mapping) and known[path] != expected)
        for path, expected in matcher.items()
    )


def path_findings(path: str | None, place: Location) -> Iterator[Finding]:
    """Yield what is wrong with a path to a value of a message; None is none."""
    if path is not None and not _PATH.fullmatch(path):
        yield place, f"no path; keys joined by dots, such as params.channel (got {path!r})"
    elif path is not None and _ALMOST_ROOT.match(path):
        yield place, f"is a key that begins with $; is $.{path[1:]}, from the frame's root, meant?"


def name_findings(name: str | None, place: Location) -> Iterator[Finding]:
    """Yield what is wrong with a channel's name, which may be put together of paths."""
    for path in paths_of(name) if name is not None else ():
        yield from path_findings(path, place)


def positive_findings(value: float, place: Location) -> Iterator[Finding]:
    """Yield that a number is not above 0."""
    if value <= 0:
        yield place, f"must be greater than 0 (got {value:g})"


def ack_findings(ack: Ack, place: Location, *, has_id: bool) -> Iterator[Finding]:
    """Yield what is wrong with how an answer is known; *has_id*: the request carries one."""
    ids = [path for path, expected in ack.where.items() if id_place(expected)]
    if len(ids) > 1:
        yield (*place, "where"), "has the request's id twice"
    if ids and not has_id:
        yield (*place, "where", ids[0]), "is matched to the request's id, but send has none"
    others = {path: value for path, value in ack.where.items() if path not in ids}
    yield from matcher_findings(others, (*place, "where"))
    yield from matcher_findings(ack.ok, (*place, "ok"))
    yield from path_findings(ack.accepted, (*place, "accepted"))
    yield from path_findings(ack.alias, (*place, "alias"))
    if ack.alias is not None and place != ("subscribe", "ack"):
        yield (*place, "alias"), "is of no use here; a confirmation of subscribe hands it out"
    if ack.error:
        yield from matcher_findings(ack.error.where, (*place, "error", "where"))
        if _is_met(ack.error.where, {**others, **ack.ok}) and ack.ok:
            wrong = (
                "every confirmation that has ok fits this too and would be a refusal; name what only a"
                " refusal has, or leave error.where narrower than ok"
            )
            yield (*place, "error", "where"), wrong
        yield from path_findings(ack.error.code, (*place, "error", "code"))
        yield from path_findings(ack.error.message, (*place, "error", "message"))
