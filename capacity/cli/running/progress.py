"""Shows a run while it is recorded, from the record itself: it can be watched from anywhere."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from capacity.domain.event_words import event_in_words
from capacity.domain.units import step_number
from capacity.domain.words import LONGEST_SENTENCE, printable, private_part

POLL_INTERVAL_S = 0.2


class Tail:
    """Returns the whole lines that were appended to a file since the last call."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = 0

    def lines(self) -> list[dict[str, Any]]:
        if not self._file.exists():
            return []
        with self._file.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        whole, _newline, _torn = data.rpartition(b"\n")
        self._offset += len(whole) + 1 if whole else 0
        return [json.loads(line) for line in whole.splitlines()]


def watch(run: Path, is_running: Callable[[], bool], console: Console) -> None:
    """Show phases and load until *is_running* says no: a bar on a terminal, lines elsewhere."""
    events, points = Tail(run / "events.jsonl"), Tail(run / "load.jsonl")
    steps = Tail(run / "steps.jsonl")
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting the load generator", total=None)
        done = False
        while not done:
            done = not is_running()
            for event in events.lines():
                detail = event["detail"]
                if event["kind"] == "phase":
                    text = _phase_text(detail)
                    bar.update(task, total=detail["steps"], completed=detail["index"])
                    bar.update(task, description=text)
                    if not console.is_terminal and detail["phase"] == "plateau":
                        console.print(text)
                elif event["kind"] not in {"finished", "aborted"}:
                    _say(console, _trouble_text(event))
            for step in steps.lines():
                if step["void"] is not None:
                    _say(console, f"step {step_number(step['index'])} is void: {step['void']}")
            for point in points.lines():
                bar.update(task, description=_load_text(point))
            if not done:
                time.sleep(POLL_INTERVAL_S)


def _say(console: Console, text: str) -> None:
    console.print(printable(text, LONGEST_SENTENCE), markup=False, soft_wrap=True)


def _trouble_text(event: dict[str, Any]) -> str:
    kind, detail = event["kind"], event["detail"]
    if kind in _SENTENCES:
        return _SENTENCES[kind](detail)
    if (said := event_in_words(kind, detail)) is not None:
        return said
    facts = [str(value) if key == "reason" else f"{key} {value}" for key, value in detail.items()]
    return f"{kind.replace('_', ' ')}: {', '.join(facts)}"


def _climb_text(detail: dict[str, Any]) -> str:
    level = detail["connections"]
    if level is None:
        return f"no further level: {detail['reason']}"
    return f"next level: {level} connections, {detail['reason']}"


_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "climb": _climb_text,
    "eased": lambda detail: (
        f"throttled to {detail['connects_per_s']} connects/s: {detail['statement']}"
    ),
    "guard": lambda detail: f"{detail['guard']} guard: {detail['statement']}",
}


def _phase_text(detail: dict[str, Any]) -> str:
    total = f" of {detail['steps']}" if detail["steps"] else ""
    return f"step {step_number(detail['index'])}{total}, {detail['phase']}: {detail['connections']} connections"


def _load_text(point: dict[str, Any]) -> str:
    return (
        f"step {step_number(point['index'])}, {point['phase']}: {point['open_connections']} open"
        f"{private_part(point.get('open_private'))}, "
        f"{point['deliveries_per_s']:.0f} deliveries/s, {point['requests_per_s']:.0f} requests/s"
    )
