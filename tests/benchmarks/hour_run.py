"""An hour's run from a recorded one: its steps last longer, and each second has the sample nearest to it."""

import json
import shutil
from bisect import bisect
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "reports" / "example"
HOUR_S = 3600.0
MOMENTS = ("started_at", "plateau_started_at", "plateau_ended_at")


def written(path):
    """Write a run of an hour to *path*, with all that samples of an agent hold, and return it."""
    shutil.copytree(EXAMPLE, path, ignore=shutil.ignore_patterns("plan.json", "report.*"))
    steps = lines_of(path / "steps.jsonl")
    began, ended = steps[0]["started_at"], steps[-1]["plateau_ended_at"]
    stretch = HOUR_S / (ended - began)

    def later(at):
        return began + max(at - began, 0.0) * stretch if at > began else at

    for step in steps:
        step.update({name: later(step[name]) for name in MOMENTS})
        step["step"]["plateau_s"] *= stretch
    write(path / "steps.jsonl", steps)
    events = lines_of(path / "events.jsonl")
    write(path / "events.jsonl", [{**event, "at": later(event["at"])} for event in events])
    for name in ("samples.jsonl", "load.jsonl"):
        write(path / name, each_second(lines_of(path / name), later))
    return path


def each_second(lines, later):
    """Return one of *lines* for each second; what is before the first step stays."""
    moments = [later(line["at"]) for line in lines]
    found = []
    for second in range(int(moments[-1] - moments[0]) + 1):
        at = moments[0] + second
        line = lines[bisect(moments, at) - 1]
        found.append({**line, "at": at} | ({"seq": second + 1} if "seq" in line else {}))
    return found


def lines_of(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def write(file, lines):
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
