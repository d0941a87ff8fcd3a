"""What an agent says, as far as it can be believed: every source of an agent's words reads them here.

A reading that is no number is missing, with what was said as the reason; a limit likewise is unknown.
Text is made printable: it is shown on terminals. What is left to be wrong is another version's.
"""

import sys
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from capacity.domain.outside import is_number, lenient_json
from capacity.domain.sample import AgentInfo, PortHolder, Sample
from capacity.domain.words import printable

T = TypeVar("T")

INFO: TypeAdapter[AgentInfo] = TypeAdapter(AgentInfo)
_HOLDERS: TypeAdapter[tuple[PortHolder, ...]] = TypeAdapter(tuple[PortHolder, ...])
SAMPLE: TypeAdapter[Sample] = TypeAdapter(Sample)

_MOST_DIGITS = 18
"""A sample a second is numbered by them for longer than anybody measures."""
_LIMITS = ("limits", "audit")
_READINGS = ("used", "gauges", "counters")
_ACCOUNT = ("use_bytes", "charged_bytes", "high_water_bytes")


class UnreadableError(ValueError):
    """It is not as an agent of this version says it; the message says where."""


def read_info(text: bytes) -> AgentInfo:
    """Return the info in *text*. Raises UnreadableError."""
    document = _document(text)
    for name in _LIMITS:
        for limit in _listed(document.get(name)):
            value = limit.get("value")
            if value is not None and not is_number(value):
                limit.update(value=None, state="unknown", reason=_no_number(value))
    return _valid(INFO, document)


def read_sample(text: bytes) -> Sample:
    """Return the sample in *text*. Raises UnreadableError."""
    document = _document(text)
    missing = document.get("missing")
    if isinstance(missing, dict):
        for name in _READINGS:
            readings = document.get(name)
            if isinstance(readings, dict):
                bad = [key for key, value in readings.items() if not is_number(value)]
                missing.update((key, _no_number(readings.pop(key))) for key in bad)
        account = document.get("memory")
        if isinstance(account, dict) and not all(is_number(account.get(key)) for key in _ACCOUNT):
            document["memory"] = None
            missing["memory_account"] = _no_number(account)
    return _valid(SAMPLE, document)


def read_holders(text: bytes) -> tuple[PortHolder, ...]:
    """Return who listens on a port. Raises UnreadableError."""
    return _valid(_HOLDERS, _harmless(_parsed(text)))


def read_seq(text: str) -> int | None:
    """Return the sequence number in a header; None where it says none."""
    is_seq = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if is_seq else None


def _document(text: bytes) -> dict[str, Any]:
    document = _harmless(_parsed(text))
    if not isinstance(document, dict):
        raise UnreadableError("it is no JSON object")
    return document


def _parsed(text: bytes) -> Any:
    try:
        return lenient_json(text)
    except ValueError as error:
        raise UnreadableError(f"it is no JSON ({printable(error, 80)})") from None


def _harmless(value: Any) -> Any:
    """Return *value* with every text in it printable, and equal ones the same: thousands of samples
    of a run say the same words.
    """
    if isinstance(value, str):
        return sys.intern(printable(value))
    if isinstance(value, list):
        return [_harmless(item) for item in value]
    if isinstance(value, dict):
        return {sys.intern(printable(key)): _harmless(item) for key, item in value.items()}
    return value


def _valid(adapter: TypeAdapter[T], document: Any) -> T:
    try:
        return adapter.validate_python(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = printable(".".join(map(str, first["loc"])), 80)
        count = error.error_count()
        raise UnreadableError(
            f"{place}: {first['msg']}"
            + (f", and {count - 1} fields more differ" if count > 1 else "")
        ) from None


def _listed(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _no_number(value: Any) -> str:
    return f"no number was said ({printable(value, 40)})"
