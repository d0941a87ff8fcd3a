"""
ending.json: why a run ended before it had a record.

The load generator writes it into the directory that the run was to have; the command that started
it reads it there. How a run with a record ended is the last of its events.
"""

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from capacity.domain.errors import CapacityError

ENDING_FILE = "ending.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnding:
    """An error that another process ended with."""

    error: str
    """Name of its class in capacity/domain/errors.py."""
    exit_code: int
    reason: str
    """One sentence for a person."""


def ending_of(error: CapacityError) -> RunEnding:
    return RunEnding(error=type(error).__name__, exit_code=error.exit_code, reason=str(error))


def write_ending(run: Path, ending: RunEnding) -> None:
    """Write *ending* into *run*, whole or not at all. Where there is no room, its log must do."""
    with contextlib.suppress(OSError):
        run.mkdir(parents=True, exist_ok=True)
        part = run / f".{ENDING_FILE}"
        part.write_text(json.dumps(asdict(ending), indent=2) + "\n", encoding="utf-8")
        part.replace(run / ENDING_FILE)


def read_ending(run: Path) -> RunEnding | None:
    """Return what was written into *run*; None where nothing was, or nothing that can be read."""
    try:
        document = json.loads((run / ENDING_FILE).read_text(encoding="utf-8"))
        return RunEnding(
            error=str(document["error"]),
            exit_code=int(document["exit_code"]),
            reason=str(document["reason"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget_ending(run: Path) -> None:
    """Remove what an earlier try left in *run*, so that it is not taken for this one's."""
    with contextlib.suppress(OSError):
        (run / ENDING_FILE).unlink()
