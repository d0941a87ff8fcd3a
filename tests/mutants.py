"""Changes one constant or operator at a time, and sees whether a quick test fails.

First the changed modules' own tests are run, of one change after the other, then, where none of them failed,
those of the modules that import it and all others that import it. A change that none notices is a survivor: a
bound that no test holds, or code that does nothing. Each change is tried in a copy of the tree. What cannot
change any behaviour stands with its reason in equivalent_mutants.toml and is never tried. The result goes to
reports/mutants.md.
"""

import argparse
import contextlib
import functools
import json
import math
import queue
import random
import secrets
import sys
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path

from changed_tree import ROOT, ChangedTree
from mutant_verdicts import Judged, judged
from mutations import mutants_of
from nearby_tests import own_test, tests_near

EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
REPORT = ROOT / "reports" / "mutants.md"
PACKAGES = ("loadgen", "models", "monitor", "planning")
ENDINGS = ("killed", "killed by a neighbour's", "survived")
SAMPLE, LEAST_KILLED_RATIO = 200, 0.9


def all_mutants(root=ROOT, only=("",)):
    """Return every mutant of the four packages whose module has tests of its own.

    Of modules whose path below capacity/ begins with one of *only*.
    """
    found = []
    for package in PACKAGES:
        for path in sorted((root / "capacity" / package).rglob("*.py")):
            module = path.relative_to(root / "capacity").as_posix()
            if not module.startswith(only):
                continue
            if (root / own_test(module)).exists():
                found += mutants_of(module, path.read_text(encoding="utf-8"))
    return found


def equivalents():
    """Return the reason why a mutant changes nothing, by module and change."""
    listed = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("mutant", [])
    return {(entry["module"], entry["change"]): entry["reason"] for entry in listed}


class Kept:
    """The verdicts of one seed so far, a line of JSON each, so that a run that was ended can go on."""

    def __init__(self, path):
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self._known = {tuple(each[:4]): each[4:] for each in map(json.loads, lines)}

    def of(self, mutants):
        """Return the verdicts that are known of mutants, and the mutants of which none is."""
        known = [Judged(m, *self._known[key(m)]) for m in mutants if key(m) in self._known]
        return known, [m for m in mutants if key(m) not in self._known]

    def add(self, verdict):
        line = json.dumps([*key(verdict.mutant), verdict.verdict, verdict.by, verdict.is_final])
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            print(line, file=file)
        print(line, flush=True)


def key(mutant):
    return mutant.module, mutant.line, mutant.change, mutant.number


def cell(text):
    return "`" + text.replace("|", "\\|").replace("`", "'") + "`" if text else ""


def table(verdicts):
    return [
        "| module | line | change | by |",
        "|---|---|---|---|",
        *(
            f"| {v.mutant.module} | {v.mutant.line} | {cell(v.mutant.change)} | {v.by} |"
            for v in sorted(verdicts)
        ),
    ]


def summary(verdicts, seed):
    counts = {name: sum(v.verdict == name for v in verdicts) for name in ("killed", "survived")}
    tried = sum(counts.values())
    unjudged = len(verdicts) - tried
    ratio = counts["killed"] / tried if tried else 0.0
    said = f"seed {seed}: {counts['killed']} of {tried} mutants killed ({ratio:.1%})"
    return ratio, said + (f", {unjudged} not judged" if unjudged else "")


def document(verdicts, asked, drawn, population, reasons):
    """Return the report: totals, by package, survivors, what is equivalent, and what was killed."""
    left, half = drawn - len(verdicts), sum(not each.is_final for each in verdicts)
    lines = [
        "# Mutants",
        "",
        "One constant or operator is changed at a time. The quick tests of the changed module are run, then, while",
        "none fails, those of each module that imports it and all others that import it: a survivor passed them all.",
        f"`make mutants SEED={asked.seed} SAMPLE={asked.sample}`. Numbers become a fifth larger or smaller,",
        "small integers one more or less; comparisons, arithmetic, `and`/`or`, `not`, `min`/`max` and",
        f"`any`/`all` are turned round. Sampled from {population:,} mutants of "
        + ", ".join(f"`{name}`" for name in PACKAGES)
        + ".",
        "Tests that were written after this run are not counted in it.",
        *(
            [f"They are tried in random order; the time was up before the last {left}."]
            if left
            else ()
        ),
        *(
            [
                f"The time was up before neighbours' tests of {half} survivors, which might have killed some."
            ]
            if half
            else ()
        ),
        "",
        f"**S{summary(verdicts, asked.seed)[1][1:]}**",
        "",
        "| package | killed by its own tests | by a neighbour's | survived |",
        "|---|---|---|---|",
    ]
    for package in PACKAGES:
        counts = Counter(v.ending for v in verdicts if v.mutant.module.startswith(f"{package}/"))
        lines.append(f"| {package} | {' | '.join(str(counts[each]) for each in ENDINGS)} |")
    for verdict, title in (
        ("survived", "Survivors"),
        ("unjudged", "Not judged: the tests fail without a change"),
        ("killed", "Killed, by the first test that failed"),
    ):
        if chosen := [v for v in verdicts if v.verdict == verdict]:
            lines += ["", f"## {title}", "", *table(chosen)]
    if reasons:
        lines += [
            "",
            "## Equivalent, hence never tried",
            "",
            "| module | change | reason |",
            "|---|---|---|",
        ]
        lines += [
            f"| {module} | {cell(change)} | {reason} |"
            for (module, change), reason in sorted(reasons.items())
        ]
    return "\n".join(lines) + "\n"


def main(arguments):
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    options.add_argument("--sample", type=int, default=SAMPLE)
    options.add_argument("--processes", type=int, default=1)
    options.add_argument(
        "--only", default="", metavar="PATHS", help="modules whose path begins so, by commas"
    )
    options.add_argument("--minutes", type=float, default=math.inf)
    asked = options.parse_args(arguments)
    print(f"seed {asked.seed}", flush=True)
    reasons = equivalents()
    population = all_mutants(only=tuple(asked.only.split(",")))
    # Not for secrets: the seed says which mutants are drawn, whatever is found to be equivalent.
    drawn = random.Random(asked.seed).sample(population, min(asked.sample, len(population)))
    drawn = [mutant for mutant in drawn if (mutant.module, mutant.change) not in reasons]
    kept = Kept(ROOT / "build" / f"mutants-{asked.seed}.jsonl")
    known, rest = kept.of(drawn)
    verdicts = {key(each.mutant): each for each in known}
    begun = [each for each in known if not each.is_final]
    with contextlib.ExitStack() as stack:
        trees = queue.Queue()
        for _ in range(asked.processes):
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True)
            )
            Path(folder).chmod(0o755)
            tree = ChangedTree(folder)
            stack.callback(tree.close)
            trees.put(tree)
        ends_s = time.monotonic() + 60.0 * asked.minutes
        for verdict in judged(trees, rest, functools.partial(tests_near, ROOT), ends_s, begun):
            kept.add(verdict)
            verdicts[key(verdict.mutant)] = verdict
    verdicts = list(verdicts.values())
    if not asked.only:
        REPORT.write_text(
            document(verdicts, asked, len(drawn), len(population), reasons), encoding="utf-8"
        )
    ratio, said = summary(verdicts, asked.seed)
    print(said)
    return 0 if ratio >= LEAST_KILLED_RATIO else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
