"""A YAML file as a validated object; every error names file, line and key, all at once."""

import json
import os
import stat
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from capacity.domain.errors import ConfigError, ContentError
from capacity.domain.outside import utf8_text
from capacity.settings.yaml_files.key_schema import keys_at
from capacity.settings.yaml_files.yaml_nodes import Document, Location, Problem, read

MOST_BYTES = 1 << 20
_SHOWN = 60

Finding = tuple[Location, str]
"""Where something is wrong that its type cannot tell, and what."""
Settings = TypeVar("Settings")


def load(
    path: Path,
    adapter: TypeAdapter[Settings],
    check: Callable[[Settings], Iterable[Finding]] | None = None,
) -> Settings:
    """Return the content of *path*; *check* finds what is wrong beyond single values.

    Raises ContentError with a line `file:line: key: what is wrong` for each problem.
    """
    document = read(text_of(path), str(path))
    if not isinstance(document.data, dict):
        wrong = f"{path}:1: must be a mapping of keys to values{_got(document.data)}"
        raise ContentError(wrong, places=(f"{path}:1",))
    problems = list(document.problems)
    settings: Settings | None = None
    try:
        # By way of JSON: strict about scalars (true is no number, "5" neither), yet lists may
        # become tuples and texts enumeration members.
        settings = adapter.validate_json(json.dumps(document.data), strict=True)
    except ValidationError as invalid:
        broken = {place for _line, place, _text in problems}
        found = _of_one_branch(
            [_problem(error, document, adapter) for error in invalid.errors()], document
        )
        problems += [problem for problem in found if problem[1] not in broken]
        problems = [problem for problem in problems if not _is_consequence(problem, problems)]
    if settings is not None and check is not None:
        problems += [(document.line_of(place), place, text) for place, text in check(settings)]
    if problems or settings is None:
        problems.sort(key=lambda problem: problem[0])
        raise ContentError(
            *(_sentence(path, problem) for problem in problems),
            places=tuple(f"{path}:{line}" for line, _place, _text in problems),
        )
    return settings


def text_of(path: Path) -> str:
    """Return the text of a settings file. Raises ConfigError."""
    try:
        # Without waiting for who might write: a pipe is no settings file, and may never end.
        with open(path, "rb", opener=_without_waiting) as file:
            if stat.S_ISFIFO(mode := os.fstat(file.fileno()).st_mode) or stat.S_ISCHR(mode):
                raise ConfigError(f"{path}: a pipe or a device, and no settings file")
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{path}: larger than {MOST_BYTES} bytes; this is no settings file")
    return utf8_text(content, str(path), "; save the file as UTF-8")


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _problem(error: ErrorDetails, document: Document, adapter: TypeAdapter[Any]) -> Problem:
    place = document.place_of(error["loc"])
    if place[-1:] == ("[key]",):
        place = place[:-1]
    kind = error["type"]
    context = error.get("ctx", {})
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        # Its value is not repeated: it may be a secret that has no place here.
        allowed = keys_at(adapter, document.data, place[:-1])
        close = get_close_matches(str(place[-1]), allowed, n=1)
        hint = f"did you mean {close[0]}?" if close else f"allowed: {', '.join(allowed)}"
        return document.line_of(place), place, f"unknown key; {hint}"
    if kind.startswith("missing"):
        return document.line_of(place), place, "is required"
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        key = str(context["discriminator"]).strip("'")
        tags = context.get("expected_tags") or ", ".join(
            f"'{tag}'" for tag in adapter.json_schema()["discriminator"]["mapping"]
        )
        place = (*place, key)
        got = _got(document.data[key]) if key in document.data else ""
        wrong = f"must be one of {tags}{got}" if got else f"is required: one of {tags}"
        return document.line_of(place), place, wrong
    if kind == "value_error":
        # What our own validators say is enough; a value with a password must not be repeated.
        return document.line_of(place), place, str(context["error"])
    if kind == "too_short":
        text = f"needs at least {context['min_length']} item{_got(error['input'])}"
        return document.line_of(place), place, text
    text = error["msg"].replace("Input should be", "must be")
    text = text.replace("an object", "a mapping").replace("a valid array", "a list")
    text = text.replace("a valid boolean", "true or false").replace("a valid string", "text")
    text = text.replace("a valid integer", "a whole number").replace("a valid number", "a number")
    return document.line_of(place), place, text[0].lower() + text[1:] + _got(error["input"])


def _of_one_branch(problems: list[Problem], document: Document) -> list[Problem]:
    """Return *problems* without those of forms that a value does not have, where it has another one.

    What may be a mapping or a list is checked as both; a value that is neither is told once.
    """
    others = [problem for problem in problems if not _is_of_branch(problem, document)]
    wanted: dict[Location, Problem] = {}
    for line, (*above, _label), text in (each for each in problems if each not in others):
        place = tuple(above)
        if any(other[: len(place)] == place for _line, other, _text in others):
            continue
        form, got, value = text.partition(" (got ")
        _line, _place, before = wanted.get(place, (line, place, ""))
        told = (
            f"{before.partition(' (got ')[0]} or {form.removeprefix('must be ')}"
            if before
            else form
        )
        wanted[place] = (line, place, f"{told}{got}{value}")
    return others + list(wanted.values())


def _is_of_branch(problem: Problem, document: Document) -> bool:
    """Tell whether a problem's last step is a validator's name of a form, and no key of the file."""
    _line, place, text = problem
    return bool(place) and place not in document.lines and text.startswith("must be")


def _is_consequence(problem: Problem, problems: list[Problem]) -> bool:
    """Whether a list is only too short because an item of it is wrong."""
    _line, place, text = problem
    inner = any(other[: len(place)] == place and other != place for _, other, _ in problems)
    return inner and text.startswith("needs at least")


def _got(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return f" (got {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '…'})"


def _sentence(path: Path, problem: Problem) -> str:
    line, place, text = problem
    key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)[1:]
    return f"{path}:{line}: {key}: {text}" if key else f"{path}:{line}: {text}"
