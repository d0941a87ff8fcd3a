"""A look at something as a finding: what it saw, or what was wrong, with the remedy."""

from collections.abc import Callable, Generator
from typing import TypeVar

from capacity.domain.answers.finding import Finding, Status
from capacity.domain.errors import CapacityError

_T = TypeVar("_T")


def attempt(
    name: str, look: Callable[[], _T], statement: Callable[[_T], str]
) -> Generator[Finding, None, _T | None]:
    """Yield what a look finds, and return what it returns; None where it raises."""
    try:
        seen = look()
    except CapacityError as error:
        yield failure(name, error)
        return None
    yield ok(name, statement(seen))
    return seen


def failure(name: str, error: CapacityError) -> Finding:
    """Return an error of ours as a finding: its sentence says what is wrong, then what to do."""
    statement, _, remedy = str(error).partition("; ")
    return Finding(
        name=name,
        status=Status.FAILURE,
        statement=statement,
        remedy=remedy[:1].upper() + remedy[1:] or None,
    )


def ok(name: str, statement: str) -> Finding:
    """Return that all is well."""
    return Finding(name=name, status=Status.OK, statement=statement)
