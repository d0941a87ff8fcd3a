"""A copy of the checkout in which one module at a time is changed, and a process that runs its tests."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
UNCHANGED_TIMEOUT_S, LEAST_TIMEOUT_S, TIMEOUT_FACTOR = 600, 60, 5
NO_TESTS = 5
"""pytest's exit code where files have end-to-end tests only."""
FAILED_LINE = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Ended:
    """How test files ended: pytest's exit code (None: not in time), the first that failed, their seconds."""

    code: int | None
    by: str
    """As pytest names it: file::test, or the file alone where it cannot be imported."""
    took_s: float = 0.0

    @property
    def is_failure(self):
        return self.code not in {0, NO_TESTS}


class ChangedTree:
    """A copy of what git knows of a checkout, in a folder that is the caller's to remove."""

    def __init__(self, folder, checkout=ROOT):
        self._root = Path(folder)
        self._unchanged = {}
        self._changes = 0
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=checkout, capture_output=True, check=True,
        ).stdout.decode()  # fmt: skip
        for name in filter(None, listed.split("\0")):
            source, copied = checkout / name, self._root / name
            if source.is_file():
                copied.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, copied)
        self._temporary = self._root / "temporary"
        self._servers = {}

    def close(self):
        for server in self._servers.values():
            server.stdin.close()
            server.wait()
            server.stdout.close()

    def _server(self, package):
        """Return the process that runs tests while a module of a package may be changed."""
        if package not in self._servers:
            environment = {
                **os.environ,
                "PYTHONPATH": str(self._root),
                "PYTEST_DEBUG_TEMPROOT": str(self._temporary),
            }
            self._servers[package] = subprocess.Popen(
                [sys.executable, "tests/forked_pytest.py", package], cwd=self._root, env=environment,
                text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
        return self._servers[package]

    def changed(self, mutant, tests):
        """Return how test files, or what else pytest takes, end in one run while a module is a mutant."""
        known = self._unchanged.get(tuple(tests), Ended(0, ""))
        ended = self._changed(mutant, tests, max(LEAST_TIMEOUT_S, TIMEOUT_FACTOR * known.took_s))
        if ended.code is None and known.took_s == 0.0:
            # Perhaps they are slow on a busy machine, change or not.
            took_s = self.unchanged(mutant, tests).took_s
            if TIMEOUT_FACTOR * took_s > LEAST_TIMEOUT_S:
                ended = self._changed(mutant, tests, TIMEOUT_FACTOR * took_s)
        return ended

    def unchanged(self, mutant, tests):
        """Return how they end while nothing is changed; looked at once."""
        asked = tuple(tests)
        if asked not in self._unchanged:
            self._unchanged[asked] = self._run(mutant.module, asked, UNCHANGED_TIMEOUT_S)
        return self._unchanged[asked]

    def _changed(self, mutant, tests, timeout_s):
        path = self._root / "capacity" / mutant.module
        kept, stat = path.read_text(encoding="utf-8"), path.stat()
        path.write_text(mutant.text, encoding="utf-8")
        # A time of its own, long ago, so that no kept bytecode is taken for it.
        self._changes += 1
        os.utime(path, (self._changes, self._changes))
        try:
            return self._run(mutant.module, tests, timeout_s)
        finally:
            path.write_text(kept, encoding="utf-8")
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def _run(self, module, tests, timeout_s):
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(exist_ok=True)
        self._temporary.chmod(0o755)
        output = self._root / "output"
        # What is imported before pytest runs cannot be rewritten for its asserts, and need not be.
        asked = {
            "arguments": ["-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-m", "not end_to_end and not long",
                          "-W", "ignore::pytest.PytestAssertRewriteWarning", *map(str, tests)],
            "output": str(output), "timeout_s": timeout_s,
        }  # fmt: skip
        began_s = time.monotonic()
        server = self._server(module.partition("/")[0])
        print(json.dumps(asked), file=server.stdin, flush=True)
        code = json.loads(server.stdout.readline())
        took_s = time.monotonic() - began_s
        if code is None:
            return Ended(None, "", took_s)
        failed = FAILED_LINE.search(output.read_text(encoding="utf-8", errors="replace"))
        return Ended(code, failed.group(1) if failed else "", took_s)
