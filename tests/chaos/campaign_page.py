"""Tells what the campaign found, by kind of fault: `python tests/chaos/campaign_page.py` makes reports/chaos/README.md."""

import json
from collections import Counter
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "reports" / "chaos"
OUTCOMES = FOLDER / "outcomes.jsonl"
RULES = {
    "wrong plan": "wrong plans without caveat",
    "process left": "processes left",
    "unloadable run": "unloadable runs",
    "hang": "hangs",
    "no owner": "ends without an owner",
    "traceback": "tracebacks",
}
INTRODUCTION = """\
# A campaign of faults

Made by `make chaos` (root; FAULTS=1000, resumable) from [outcomes.jsonl](outcomes.jsonl), a line a trial. Each trial
starts the bundled exchange with a limit of 256 descriptors, its agent, and `capacity measure` with two
workers, in two network namespaces. One or two faults a side (generator, target, agent, or the link between
them) are drawn from a seed and done to it at random moments; a few trials have none. Damaged files are copies
of [the example](../example/report.md), planned and reported. `make chaos-sample` takes five minutes of it.

The rules: no plan whose 99 % interval misses what the exchange holds without a caveat of the fault's
kind; no process or namespace left five seconds after the end; every run loads, or one sentence says why
not; no end later than 30 s beyond what is its due; every end has an owner that fits what was done (the
exit code); no traceback. A trial that breaks a rule counts for each of its faults.

Clocks are set by an hour within one process (its `time.time`), so that nobody else's moves: a time
namespace shifts only the clocks since boot.
"""


def read(path=OUTCOMES):
    """Return the newest outcome of each trial in a file, with what *earlier* ones broke."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    newest = {}
    for row in map(json.loads, lines):
        key = (row["seed"], row["trial"])
        before = newest.get(key, {})
        earlier = [*before.get("earlier", ()), *before.get("broken", ())]
        newest[key] = {**row, "earlier": earlier}
    return list(newest.values())


def faults_in(outcomes):
    """Yield (kind, owner), and the rules that their trial broke, of each fault that was done."""
    for row in outcomes:
        for fault in row["faults"]:
            if fault.get("is_done"):
                yield (fault["kind"], fault["owner"]), {rule for rule, _ in row["broken"]}


def written(outcomes):
    """Return the page's text."""
    count, broken = Counter(), Counter()
    for kind, rules in faults_in(outcomes):
        count[kind] += 1
        broken.update((kind, rule) for rule in rules)
    lines = [
        "| fault | of | done | " + " | ".join(RULES.values()) + " |",
        "|---|---|---|" + "---|" * len(RULES),
    ]
    for kind in sorted(count, key=lambda each: (each[1], each[0])):
        cells = [*kind, count[kind], *(broken[kind, rule] for rule in RULES)]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([INTRODUCTION, tally(outcomes), "", *lines, ""])


def tally(outcomes):
    """Return one paragraph: how much was done, and how it ended."""
    done = sum(1 for _ in faults_in(outcomes))
    runs = [row for row in outcomes if "code" in row]
    codes = Counter(row["code"] for row in runs)
    broken = Counter(rule for row in outcomes for rule, _ in row["broken"])
    parts = [f"{broken[rule]} {words}" for rule, words in RULES.items()]
    other = sum(n for rule, n in broken.items() if rule not in RULES)
    mended = sum(bool(row.get("earlier")) and not row["broken"] for row in outcomes)
    ends = ", ".join(f"{code}: {n}" for code, n in sorted(codes.items(), key=lambda each: -each[1]))
    plans = sum("mid" in row for row in runs)
    return (
        f"So far {done:,} faults in {len(outcomes):,} trials: {', '.join(parts)}"
        f"{f', {other} trials that the campaign itself failed to play' if other else ''}."
        f" Broken at an earlier commit, and held when played again: {mended}."
        f"\n{len(runs):,} runs ended with the exit codes {ends}; {plans:,} of them have a plan."
    )


if __name__ == "__main__":
    text = written(read())
    (FOLDER / "README.md").write_text(text, encoding="utf-8")
    print(text)
