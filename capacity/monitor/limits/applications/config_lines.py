"""Configurations of one setting a line: `name value`, `name = value`, `name: value`, in sections or not."""

import re
from collections.abc import Collection, Iterable, Iterator

from capacity.monitor.limits.applications.settings import Setting

_ASSIGNED = re.compile(r"\s*([\w.\-/]+)\s*(?:[=:]\s*|\s+)(.*)", re.ASCII)


def settings(
    lines: Iterable[tuple[str, str]],
    names: Collection[str],
    *,
    comments: str = "#",
    prefixes: tuple[str, ...] = (),
) -> Iterator[Setting]:
    """Yield the settings of these *names* or with one of *prefixes*, in their order.

    Without comments behind them.
    """
    for text, where in lines:
        bare = text.strip()
        if not bare or bare[0] in comments:
            continue
        found = _ASSIGNED.match(bare)
        if found is None:
            continue
        name = found[1].lower()
        if name in names or name.startswith(prefixes):
            yield Setting(name, plain(found[2], comments), where)


def plain(value: str, comments: str = "#") -> str:
    """Return a value without quotes and without what a comment says behind it."""
    value = value.strip()
    if value[:1] in {"'", '"'}:
        return value[1:].partition(value[0])[0]
    for sign in comments:
        value = value.partition(sign)[0]
    return value.strip().rstrip(",;")


def in_sections(lines: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Yield section, text and place of the lines of an ini file; the section is "" before the first."""
    section = ""
    for text, where in lines:
        bare = text.strip()
        if bare.startswith("[") and "]" in bare:
            section = bare[1 : bare.index("]")].strip().lower()
        else:
            yield section, text, where
