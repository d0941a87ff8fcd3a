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
UNCHANGED_TIMEOUT_S, LEAST_TIMEOUT_S, TIMEOUT_FACTOR = 300, 60, 5
NO_SUCH_TEST, NO_TESTS = 4, 5
"""pytest's exit codes where a name is none of a test, and where a file has end-to-end tests only."""
LONG_AGO_S = 1
"""A changed file's time, which no kept bytecode has."""
FAILED_LINE = re.compile(r"^(?:FAILED|ERROR) [^\s:]+(?:::(.+?))?(?: - .*)?$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a test file ended: pytest's exit code (None: not in time), its first failure, its seconds."""

    code: int | None
    by: str
    took_s: float = 0.0


class ChangedTree:
    """A copy of what git knows of a checkout, in a folder that is the caller's to remove."""

    def __init__(self, folder, checkout=ROOT):
        self._root = Path(folder)
        self._unchanged = {}
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
        environment = {
            **os.environ,
            "PYTHONPATH": str(self._root),
            "PYTEST_DEBUG_TEMPROOT": str(self._temporary),
        }
        self._server = subprocess.Popen(
            [sys.executable, "tests/forked_pytest.py"], cwd=self._root, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def close(self):
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

    def changed(self, mutant, test):
        """Return how a test file ends while a module is a mutant, and put the module back."""
        ended = self._changed(mutant, test, LEAST_TIMEOUT_S)
        if ended.code is None:
            # Perhaps it is slow on a busy machine, change or not.
            took_s = self.unchanged(test).took_s
            ended = self._changed(mutant, test, TIMEOUT_FACTOR * took_s)
        return ended

    def unchanged(self, test, only=""):
        """Return how a test file, or one test of it, ends while nothing is changed; looked at once."""
        asked = f"{test}::{only}" if only else str(test)
        if asked not in self._unchanged:
            self._unchanged[asked] = self._run(asked, UNCHANGED_TIMEOUT_S, keeps_bytecode=True)
        ended = self._unchanged[asked]
        return self.unchanged(test) if only and ended.code == NO_SUCH_TEST else ended

    def _changed(self, mutant, test, timeout_s):
        path = self._root / "capacity" / mutant.module
        kept, stat = path.read_text(encoding="utf-8"), path.stat()
        path.write_text(mutant.text, encoding="utf-8")
        os.utime(path, (LONG_AGO_S, LONG_AGO_S))
        try:
            return self._run(test, timeout_s, keeps_bytecode=False)
        finally:
            path.write_text(kept, encoding="utf-8")
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def _run(self, test, timeout_s, *, keeps_bytecode):
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(exist_ok=True)
        self._temporary.chmod(0o755)
        output = self._root / "output"
        # What is imported before pytest runs cannot be rewritten for its asserts, and need not be.
        asked = {
            "arguments": ["-x", "-q", "--tb=no", "-p", "no:cacheprovider", "-m", "not end_to_end and not long",
                          "-W", "ignore::pytest.PytestAssertRewriteWarning", str(test)],
            "output": str(output), "timeout_s": timeout_s, "keeps_bytecode": keeps_bytecode,
        }  # fmt: skip
        began_s = time.monotonic()
        print(json.dumps(asked), file=self._server.stdin, flush=True)
        code = json.loads(self._server.stdout.readline())
        took_s = time.monotonic() - began_s
        if code is None:
            return Ended(None, "", took_s)
        failed = FAILED_LINE.search(output.read_text(encoding="utf-8", errors="replace"))
        return Ended(code, (failed.group(1) or "") if failed else "", took_s)
