"""Runs the tests: first those that can run beside others, on a few processes, then the others alone.

Those that load a target for a minute are one group of pytest-xdist, so that no two of them meet.
What is named on the command line goes to pytest both times. The last line says how all of it went.
"""

import os
import re
import subprocess
import sys
import time

PROCESSES = os.environ.get("CAPACITY_TEST_PROCESSES", "3")
"""Most tests wait most of the time, so that two cores do for three."""
GROUPS = (
    ("-m", "not alone", "-n", PROCESSES, "--dist", "loadgroup"),
    ("-m", "alone"),
)
NO_TESTS = 5
"""pytest's exit code where a group has nothing of what was asked for."""


def run(arguments):
    """Run pytest, show what it prints as it comes, and return its exit code and its last line."""
    last = b""
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments], stdout=subprocess.PIPE
    ) as process:
        while piece := process.stdout.read1():
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
            last = (last + piece)[-4096:]
    lines = last.decode(errors="replace").splitlines() or [""]
    return process.returncode, lines[-1]


def counts(line):
    """Return what a closing line of pytest counts, by its name."""
    return {name: int(n) for n, name in re.findall(r"(\d+) ([a-z]+)", line.rpartition(" in ")[0])}


def together(lines):
    total = {}
    for line in lines:
        for name, count in counts(line).items():
            total[name] = total.get(name, 0) + count
    total.pop("deselected", None)  # The other group has them.
    return ", ".join(f"{count} {name}" for name, count in total.items()) or "no tests ran"


def main(arguments):
    began_s = time.monotonic()
    ended = [run((*group, *arguments)) for group in GROUPS]
    codes = {code for code, _line in ended}
    if codes > {NO_TESTS}:
        codes.discard(NO_TESTS)
    took_s = time.monotonic() - began_s
    minutes, seconds = divmod(round(took_s), 60)
    total = together(line for _code, line in ended)
    print(f"{total} in {took_s:.2f}s (0:{minutes:02d}:{seconds:02d})", flush=True)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
