"""Which tests tell of a changed module: its own first, then those of what imports it, then who else does."""

import ast
import functools
from pathlib import Path


def imported(path):
    """Return the dotted names that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def own_test(module):
    """Return the test file of a module, both as paths: below capacity/ and below the root."""
    path = Path(module)
    return Path("tests") / path.with_name(f"test_{path.name}")


def subject_tests(root, test):
    """Return further test files of the module that *test* is of, each of one subject: test_MODULE_SUBJECT.py.

    All paths are below the root. What is of another module, MODULE_SUBJECT, is none of them.
    """
    package = root / "capacity" / test.parent.relative_to("tests")
    beside = sorted((root / test.parent).glob(f"{test.stem}_*.py"))
    return [
        path.relative_to(root)
        for path in beside
        if not (package / path.name.removeprefix("test_")).exists()
    ]


@functools.cache
def importers(root, folder, pattern):
    """Return what each file below a folder of the root imports, by its path below that folder."""
    paths = sorted((root / folder).rglob(pattern))
    return {path.relative_to(root / folder): imported(path) for path in paths}


def tests_near(root, module):
    """Return the test files that tell of a module: its own, and its neighbours', the nearest first."""
    name = ".".join(("capacity", *Path(module).with_suffix("").parts))
    of_modules = [
        own_test(path)
        for path, names in importers(root, "capacity", "*.py").items()
        if name in names
    ]
    direct = [
        Path("tests") / path
        for path, names in importers(root, "tests", "test_*.py").items()
        if name in names
    ]
    own = own_test(module)
    own = [test for test in (own, *subject_tests(root, own)) if (root / test).exists()]
    near = dict.fromkeys((*of_modules, *direct))
    return own, [test for test in near if test not in own and (root / test).exists()]
