"""Rows on their way into a history: each is a file until the history has it.

A history that cannot be reached, and a process that is killed before it was, so cost no row: the next
run delivers them.
"""

import json
import os
from dataclasses import asdict
from pathlib import Path

from capacity.domain.errors import ConfigError
from capacity.recording import history
from capacity.recording.history_row import HistoryRow, Outcome


def keep(folder: Path, url: str, row: HistoryRow) -> Path:
    """Write *row* into *folder* for the history at *url*, whole or not at all; return its file."""
    path = folder / f"{row.run}.json"
    partial = folder / f".{row.run}.{os.getpid()}.part"
    document = {"history": url, "row": asdict(row)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(document, indent=2), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror})") from None
    return path


def deliver(folder: Path, url: str) -> list[str]:
    """Append the rows in *folder* to the history at *url* that they are for; return their runs.

    Raises NotDeliveredError where it cannot be reached; what it has by then is no longer pending.
    Raises ConfigError, behind all that can be delivered, on a file that is not what keep writes.
    """
    delivered, broken = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            kept_for, told = document["history"], document["row"]
            row = HistoryRow(**{**told, "outcome": Outcome(told["outcome"])})
        except FileNotFoundError:
            continue  # Another run has just delivered it.
        except (OSError, ValueError, KeyError, TypeError) as error:
            broken.append(f"{path}: not a row of the history ({error!r}); remove it")
            continue
        if kept_for != url:
            continue
        history.append(url, row)
        path.unlink(missing_ok=True)
        delivered.append(row.run)
    if broken:
        raise ConfigError(*broken)
    return delivered
