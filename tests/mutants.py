"""Changes one constant or operator at a time, and sees whether the changed module's own tests fail.

A change that they do not notice is a survivor: a bound that no test holds, or code that does nothing.
Each change is tried in a copy of the tree. What cannot change any behaviour stands with its reason in
equivalent_mutants.toml and is never tried. The result goes to reports/mutants.md.
"""

import argparse
import ast
import concurrent.futures
import contextlib
import copy
import dataclasses
import os
import queue
import random
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
REPORT = ROOT / "reports" / "mutants.md"
PACKAGES = ("loadgen", "models", "monitor", "planning")
SAMPLE, LEAST_KILLED_RATIO = 200, 0.9
MOST_SHOWN = 100
BASELINE_TIMEOUT_S, LEAST_TIMEOUT_S, TIMEOUT_FACTOR = 300, 30, 5
LONGER, SHORTER = 1.2, 1 / 1.2
"""A bound is held by tests just below and just above it if a fifth more or less fails one of them."""

FAILED_LINE = re.compile(r"^(?:FAILED|ERROR) \S*?(?:::(\S+))?(?: - .*)?$", re.MULTILINE)

SWAPPED = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
SWAPPED_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclasses.dataclass(frozen=True, order=True)
class Mutant:
    """One changed module: its path below capacity/, where, what it says then, and its whole text."""

    module: str
    line: int
    change: str
    text: str = dataclasses.field(repr=False, compare=False)

    @property
    def test(self) -> Path:
        path = Path(self.module)
        return Path("tests") / path.with_name(f"test_{path.name}")


def changed_numbers(value):
    """Return what a number becomes: a fifth more or less, a small integer one more or less."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        step = max(1, round(abs(value) * (LONGER - 1)))
        return [value + step] if value == 0 else [value + step, value - step]
    if isinstance(value, float):
        return [1.0] if value == 0 else [value * LONGER, value * SHORTER]
    return []


def joins(node):
    """Return whether an operator joins texts, lists or paths, where another one is a type error."""
    sides = [getattr(node, name, None) for name in ("left", "right", "value")]
    return isinstance(node, ast.BinOp | ast.AugAssign) and any(
        isinstance(side, ast.JoinedStr | ast.List | ast.Tuple)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str | bytes))
        for side in sides
    )


def changed_nodes(node):
    """Return the nodes that may stand in the place of this one."""
    if isinstance(node, ast.Constant):
        return [ast.Constant(value) for value in changed_numbers(node.value)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return [node.operand]
    changed = copy.deepcopy(node)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        changed.ops[0] = SWAPPED[type(node.ops[0])]()
    elif isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in SWAPPED:
        changed.op = SWAPPED[type(node.op)]()
    elif isinstance(node, ast.Call) and getattr(node.func, "id", None) in SWAPPED_NAMES:
        changed.func.id = SWAPPED_NAMES[node.func.id]
    else:
        return []
    return [] if joins(node) else [changed]


def is_left_alone(node, field):
    """Return whether a field holds what is no behaviour: types, asserts, what only checkers see."""
    if isinstance(node, ast.Assert | ast.JoinedStr):
        return True
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    return field in {"annotation", "returns", "decorator_list", "type_params"}


def places(node):
    """Give each (parent, field, index) of the tree whose node is behaviour."""
    for field, value in ast.iter_fields(node):
        if is_left_alone(node, field):
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(child, ast.AST):
                yield node, field, index if isinstance(value, list) else None
                yield from places(child)


def put(parent, field, index, node):
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def mutants_of(module, source):
    """Return each mutant of one module's source, in the order of its lines."""
    tree = ast.parse(source)
    found = []
    for parent, field, index in list(places(tree)):
        node = getattr(parent, field) if index is None else getattr(parent, field)[index]
        for changed in changed_nodes(node):
            put(parent, field, index, changed)
            after, text = shown(changed, parent), ast.unparse(tree)
            put(parent, field, index, node)
            line = getattr(node, "lineno", getattr(parent, "lineno", 0))
            found.append(Mutant(module, line, f"{shown(node, parent)} → {after}", text))
    return found


def shown(node, parent):
    """Return code in one line; a number, which says little alone, with what stands around it."""
    around = ast.unparse(parent) if isinstance(node, ast.Constant) else ""
    code = around if 0 < len(around) <= MOST_SHOWN else ast.unparse(node)
    line = re.sub(r"\s+", " ", code)
    return line if len(line) <= MOST_SHOWN else line[: MOST_SHOWN - 1] + "…"


def all_mutants(root=ROOT):
    """Return every mutant of the four packages whose module has tests of its own."""
    found = []
    for package in PACKAGES:
        for path in sorted((root / "capacity" / package).rglob("*.py")):
            module = path.relative_to(root / "capacity").as_posix()
            mutants = mutants_of(module, path.read_text(encoding="utf-8"))
            found += [mutant for mutant in mutants if (root / mutant.test).exists()]
    return found


def equivalents():
    """Return the reason why a mutant changes nothing, by module and change."""
    listed = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("mutant", [])
    return {(entry["module"], entry["change"]): entry["reason"] for entry in listed}


class Tree:
    """A copy of what git knows of the checkout, to run tests of changed modules in."""

    def __init__(self, folder):
        self._root = Path(folder)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, check=True,
        ).stdout.decode()  # fmt: skip
        for name in filter(None, listed.split("\0")):
            source, copied = ROOT / name, self._root / name
            if source.is_file():
                copied.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, copied)

    def with_change(self, mutant, timeout_s):
        """Return what the mutant's tests say, and put the module back."""
        path = self._root / "capacity" / mutant.module
        kept = path.read_text(encoding="utf-8")
        path.write_text(mutant.text, encoding="utf-8")
        try:
            return self.tests(mutant.test, timeout_s)
        finally:
            path.write_text(kept, encoding="utf-8")

    def tests(self, test, timeout_s):
        """Return (pytest's exit code or None for none in time, the first test that failed)."""
        temporary = self._root / "temporary"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        temporary.chmod(0o755)
        environment = {
            **os.environ,
            "PYTHONPATH": str(self._root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DEBUG_TEMPROOT": str(temporary),
        }
        command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider",
                   "-m", "not end_to_end", str(test)]  # fmt: skip
        with subprocess.Popen(
            command, cwd=self._root, env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as process:  # fmt: skip
            try:
                output, _ = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                return None, "no end in time"
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        failed = FAILED_LINE.search(output.decode(errors="replace"))
        return process.returncode, failed.group(1) or "import" if failed else ""


@dataclasses.dataclass(frozen=True, order=True)
class Judged:
    mutant: Mutant
    verdict: str
    """killed, survived, or unjudged where the tests fail of an unchanged module already."""
    by: str = ""


def judged(trees, mutants):
    """Give the verdict on each mutant; the mutants of one module share one look at its own tests."""

    def judge(group):
        tree = trees.get()
        try:
            began_s = time.monotonic()
            code, by = tree.tests(group[0].test, BASELINE_TIMEOUT_S)
            if code != 0:
                return [Judged(mutant, "unjudged", by) for mutant in group]
            timeout_s = LEAST_TIMEOUT_S + TIMEOUT_FACTOR * (time.monotonic() - began_s)
            ended = [(mutant, *tree.with_change(mutant, timeout_s)) for mutant in group]
            return [Judged(m, "survived" if code == 0 else "killed", by) for m, code, by in ended]
        finally:
            trees.put(tree)

    groups = {}
    for mutant in sorted(mutants):
        groups.setdefault(mutant.module, []).append(mutant)
    with concurrent.futures.ThreadPoolExecutor(trees.qsize()) as pool:
        for verdicts in pool.map(judge, groups.values()):
            for verdict in verdicts:
                print(verdict.verdict, verdict.mutant.module, verdict.mutant.line,
                      verdict.mutant.change, verdict.by, sep="\t", flush=True)  # fmt: skip
            yield from verdicts


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


def document(verdicts, seed, population, reasons):
    """Return the report: totals, by package, survivors, what is equivalent, and what was killed."""
    lines = [
        "# Mutants",
        "",
        "One constant or operator is changed at a time, and only the tests of the changed module are run:",
        f"`make mutants SEED={seed} SAMPLE={len(verdicts)}`. Numbers become a fifth larger or smaller,",
        "small integers one more or less; comparisons, arithmetic, `and`/`or`, `not`, `min`/`max` and",
        f"`any`/`all` are turned round. Sampled from {population:,} mutants of "
        + ", ".join(f"`{name}`" for name in PACKAGES)
        + ".",
        "",
        f"**{summary(verdicts, seed)[1][0].upper()}{summary(verdicts, seed)[1][1:]}**",
        "",
        "| package | killed | survived |",
        "|---|---|---|",
    ]
    for package in PACKAGES:
        of_it = [v.verdict for v in verdicts if v.mutant.module.startswith(f"{package}/")]
        lines.append(f"| {package} | {of_it.count('killed')} | {of_it.count('survived')} |")
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
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--only", default="", metavar="PATH", help="modules whose path begins so")
    asked = options.parse_args(arguments)
    print(f"seed {asked.seed}", flush=True)
    reasons = equivalents()
    population = [m for m in all_mutants() if m.module.startswith(asked.only)]
    # Not for secrets: the seed says which mutants are drawn, whatever is found to be equivalent.
    drawn = random.Random(asked.seed).sample(population, min(asked.sample, len(population)))
    drawn = [mutant for mutant in drawn if (mutant.module, mutant.change) not in reasons]
    with contextlib.ExitStack() as stack:
        trees = queue.Queue()
        for _ in range(asked.processes):
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True)
            )
            Path(folder).chmod(0o755)
            trees.put(Tree(folder))
        verdicts = list(judged(trees, drawn))
    if not asked.only:
        REPORT.write_text(
            document(verdicts, asked.seed, len(population), reasons), encoding="utf-8"
        )
    ratio, said = summary(verdicts, asked.seed)
    print(said)
    return 0 if ratio >= LEAST_KILLED_RATIO else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
