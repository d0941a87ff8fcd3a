"""Writes what was recorded into the exhibits' pages, and the museum's index, docs/museum.md.

python tests/museum/page.py
"""

import json
import re
from pathlib import Path

from judging import error_ratio, is_answered, verdict

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
OUTCOMES = ROOT / "reports" / "museum" / "outcomes.jsonl"
INDEX = ROOT / "docs" / "museum.md"
BEGIN, END = "<!-- outcome: made by tests/museum/page.py -->", "<!-- end of outcome -->"
NAMES = {
    "application_connections": "the application's own limit",
    "arrival_limit": "connect rate",
    "conntrack": "connection-tracking table",
    "cpu": "CPU",
    "descriptors": "file descriptors",
    "memory": "memory",
    "outgoing_ports": "ports to one upstream",
    "threads": "threads",
    "unidentified": "a limit that was met and not identified",
}
INTRODUCTION = """\
# The museum

Outages whose cause was a connection resource, each re-enacted with real servers in namespaces and cgroups,
and beside it its healthy twin: the same service as it was mended. `capacity measure --profile safe`, as
shipped, was told what an operator would write into a target file, and no limit. What it said was hashed
before a program that shares nothing with it broke the server, or held the load of the incident on the twin.

*Named*: the resource that gave out, and the number within 10 %, from about a quarter of it. *Abstained*: the
answer says why there is no number, and the reason is right. *Quiet*: the twin was said to hold the load.
*False alarm*: it was said not to, or a guard ended its run. *Missed* is everything else.

`make museum` runs all of it as root, `make museum EXHIBITS='session_limit'` one; a scene takes some three
minutes. Every outcome is a line of [outcomes.jsonl](../reports/museum/outcomes.jsonl), with its commit.
"""


def read_outcomes():
    """Return the newest outcome of each (exhibit, scene), and how many there are of it."""
    newest, counts = {}, {}
    if OUTCOMES.exists():
        for line in OUTCOMES.read_text().splitlines():
            row = json.loads(line)
            key = (row["exhibit"], row["scene"])
            newest[key], counts[key] = row, counts.get(key, 0) + 1
    return newest, counts


def number(value):
    return f"{value:,.0f}"


def said(row):
    """Return in words what the product said."""
    if not is_answered(row):
        return " ".join(row["prediction"].get("excuse", "nothing").split()).replace("|", "/")
    of = row["prediction"]
    words = f"{NAMES.get(of['binding'], of['binding'])}, {number(of['capacity']['mid'])}"
    reasons = [each for each in of.get("statements", ()) if "whose limits are not seen" in each]
    return "; ".join([words, *reasons])


def truth(row):
    """Return in words what broke, or what the twin held."""
    unit = " s" if row.get("is_time") else ""
    if row["scene"] == "twin":
        return f"held {number(row['truth'])}{unit}"
    return f"broke at {', '.join(number(each) for each in row['truths'])}{unit}"


def error(row):
    off = error_ratio(row) if row["scene"] == "incident" else None
    return "" if off is None else f"{off * 100:+.1f} %"


def block(outcomes, counts):
    """Return the table of one exhibit; *outcomes* by scene."""
    lines = [
        "| scene | opened | said | then | error | verdict | commit | earlier |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for scene, row in outcomes.items():
        lines.append(
            f"| {scene} | {row['harm'].get('highest_opened', '')} | {said(row)} | {truth(row)} "
            f"| {error(row)} | {verdict(row)} | {row['commit'][:7]} | {counts[scene] - 1} |"
        )
    return lines if outcomes else ["Not measured yet."]


def replaced(text, lines):
    """Return a page's text with its block of outcomes made anew."""
    made = "\n".join([BEGIN, *lines, END])
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: made, text, flags=re.DOTALL)


def index(pages, newest):
    """Return the museum's index; *pages* are (folder, title)."""
    lines = [
        "| exhibit | gave out | said | then | error | incident | twin |",
        "|---|---|---|---|---|---|---|",
    ]
    for folder, title in pages:
        row, twin = newest.get((folder, "incident")), newest.get((folder, "twin"))
        link = f"[{title}](../tests/museum/{folder}/README.md)"
        of_twin = verdict(twin) if twin else "not measured yet"
        if row is None:
            lines.append(f"| {link} | | | | | not measured yet | {of_twin} |")
            continue
        lines.append(
            f"| {link} | {NAMES.get(row['binding'], row['binding'])} | {said(row)} | {truth(row)} "
            f"| {error(row)} | {verdict(row)} | {of_twin} |"
        )
    return "\n".join([INTRODUCTION, *tally(newest), "", *lines, ""])


def tally(newest):
    """Return how many of each verdict there are."""
    verdicts = {key: verdict(row) for key, row in newest.items()}
    parts = []
    for scene, words in (
        ("incident", ("named", "abstained", "missed")),
        ("twin", ("false alarm",)),
    ):
        mine = [each for (_, of), each in verdicts.items() if of == scene]
        parts += [f"{mine.count(word)} of {len(mine)} {scene}s {word}" for word in words]
    return [f"So far: {'; '.join(parts)}."]


def pages():
    """Return folder and title of each exhibit that has a page."""
    found = sorted(HERE.glob("*/README.md"))
    return [
        (path.parent.name, path.read_text().splitlines()[0].removeprefix("# ")) for path in found
    ]


def written(newest, counts):
    """Return path -> text of every page."""
    texts = {}
    for folder, _title in pages():
        path = HERE / folder / "README.md"
        mine = {
            scene: newest[folder, scene]
            for scene in ("incident", "twin")
            if (folder, scene) in newest
        }
        lines = block(mine, {scene: counts[folder, scene] for scene in mine})
        texts[path] = replaced(path.read_text(), lines)
    texts[INDEX] = index(pages(), newest)
    return texts


if __name__ == "__main__":
    for path, text in written(*read_outcomes()).items():
        path.write_text(text)
