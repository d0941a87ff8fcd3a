"""Every module has the test module its path names, and every test module its module.

Where that would be long, tests of one subject stand beside it: test_MODULE_SUBJECT.py.
"""

import ast
import runpy
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent

subject_tests = runpy.run_path(str(ROOT / "tests" / "nearby_tests.py"))["subject_tests"]

UNTESTED_MODULES = {
    # Declarations only; nothing in them can be wrong on its own.
    Path("domain/answers/comparison.py"),
    Path("domain/answers/finding.py"),
    Path("domain/observation.py"),
    Path("domain/plan.py"),
    Path("domain/resources.py"),
    Path("domain/answers/rules.py"),
    Path("domain/run.py"),
    Path("domain/sample.py"),
    Path("domain/answers/storm_drill.py"),
    Path("exchange/counters.py"),
    Path("exchange/options.py"),
    Path("loadgen/client/slots/worker_state.py"),
    Path("loadgen/master/steps/step_sequence.py"),
    Path("loadgen/protocol/messages.py"),
    Path("loadgen/wire/streams/readers.py"),
    Path("monitor/collectors/base.py"),
    Path("planning/evidence/missing_evidence.py"),
    Path("recording/history_tables.py"),
    # Alembic runs it, with each migration.
    Path("recording/migrations/env.py"),
    Path("planning/safety/trip.py"),
    Path("reporting/document.py"),
    Path("reporting/first_screen/screen.py"),
    Path("sources/source.py"),
    Path("workload/dialects/dialect.py"),
    Path("workload/dialects/endpoints.py"),
    Path("workload/drafting/sections.py"),
}
# About the project as a whole, and stories that cross the packages.
UNMAPPED_FOLDERS = {
    Path("end_to_end"),
    Path("benchmarks"),
    Path("backtest"),
    Path("validation"),
    Path("simulation"),
    Path("museum"),
    Path("chaos"),
    Path("interop"),
    Path("field"),
    Path("fuzz"),
    Path("soak"),
    Path(),
}
MOST_FILES = 18
# One file a kind of thing, under the name of what it reads.
CATALOGUES = {Path("monitor/collectors"), Path("monitor/limits/applications")}
SAME_SUBJECT = {
    # On several layers: what is read from a file, what happens, what is concluded, what is shown.
    "admission", "advice", "agent", "arrival_cost", "audit", "ceilings", "comparison",
    "contents", "demand", "dialect", "doctor", "event_stream", "exposition", "frames", "freshness",
    "history", "order_entry", "outlook", "plan", "profile", "push_or_poll", "reconnect_storm", "replay", "report",
    "rules", "sizing", "source_addresses", "spool", "storm_drill", "target", "values",
    # The same thing of two programs that share no code.
    "answers", "arguments", "counters", "deadline", "entries", "registry", "words",
}  # fmt: skip
# In such a folder and about one module nevertheless.
MAPPED_FILES = {Path("test_notebook.py")}


def mapped_modules() -> set[Path]:
    package = ROOT / "capacity"
    return {
        path.relative_to(package)
        for path in package.rglob("*.py")
        if not path.name.startswith("__")
    }


def mapped_tests() -> set[Path]:
    tests = ROOT / "tests"
    paths = {path.relative_to(tests) for path in tests.rglob("test_*.py")}
    return {path for path in paths if path.parent not in UNMAPPED_FOLDERS or path in MAPPED_FILES}


def test_modules_and_tests_pair_up() -> None:
    expected = {path.with_name(f"test_{path.name}") for path in mapped_modules() - UNTESTED_MODULES}
    beside = {path for test in expected for path in subject_tests(ROOT, Path("tests") / test)}

    assert expected == mapped_tests() - {path.relative_to("tests") for path in beside}


def test_a_folder_can_be_read_at_a_glance_unless_it_is_a_catalogue() -> None:
    files = Counter(path.parent for path in mapped_modules())

    assert CATALOGUES == {folder for folder, count in files.items() if count > MOST_FILES}


def test_a_name_that_stands_in_several_packages_is_of_one_subject() -> None:
    names = Counter(path.stem for path in mapped_modules())

    assert SAME_SUBJECT == {name for name, count in names.items() if count > 1}


def test_no_module_is_longer_than_300_lines() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "capacity").rglob("*.py")
    }

    assert {} == {path: length for path, length in lengths.items() if length > 300}


def test_locustfiles_stay_thin() -> None:
    for path in (ROOT / "locustfiles").glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 80


def test_a_module_of_a_test_program_that_is_imported_by_its_bare_name_stands_once() -> None:
    # Two of a name shadow each other wherever one process runs both programs.
    programs = [path for path in (ROOT / "tests").rglob("*.py") if path.name != "__init__.py"]
    names = Counter(path.stem for path in programs)
    imported = {
        name.split(".")[0]
        for path in programs
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in _imported_by(node)
    }

    assert [] == sorted(name for name in imported & names.keys() if names[name] > 1)


def _imported_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
