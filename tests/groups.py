"""Runs the tests: first those that can run beside others, on a few processes, then the others alone.

With `--long` those that load real targets for minutes, without it all others; with `--compile` none. Most of the long ones are in
groups of pytest-xdist, so that no two of a group meet: what breaks a target that it has measured (`load`),
what measures memory (`fragile`) and caps (`caps`), and what only sees how a run ends (`trouble`).
What is named on the command line goes to pytest both times. The last line says how all of it went.

A few tests that failed beside others are run once more, alone: thousands of tests with real sockets, processes
and limits share a host that others load too. What passes then is no failure, but it is named at the end: its
cause is still to be found. What fails twice, or what fails with many others, has failed.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROCESSES = os.environ.get("CAPACITY_TEST_PROCESSES", "4")
"""Most tests wait most of the time, so that two cores do for four."""
LONG, COMPILE = "--long", "--compile"
BESIDE_EACH_OTHER = ("-n", PROCESSES, "--dist", "loadgroup", "--no-loadscope-reorder")
GROUPS = {
    False: (("-m", "not alone and not long", *BESIDE_EACH_OTHER), ("-m", "alone and not long")),
    True: (("-m", "not alone and long", *BESIDE_EACH_OTHER), ("-m", "alone and long")),
}
"""Of the tests that are not long, and of those that are."""
MOST_AGAIN = 4
"""Where more tests failed than this, it was not the host."""
GROUP = re.compile(r"@[^\]@:/]*$")
"""What pytest-xdist adds to the name of a test in a group."""
NO_TESTS, FAILED = 5, 1
"""pytest's exit codes where a group has nothing of what was asked for, and where a test failed."""


def run(arguments):
    """Run pytest, show what it prints as it comes; return its exit code, its last line and what failed.

    Temporary files have a root of their own: of one that several runs share, pytest tidies away what
    another run is looking at.
    """
    last = b""
    # Some tests become a user without rights, who has to get through to what is theirs.
    with tempfile.TemporaryDirectory(prefix="capacity-tests-", ignore_cleanup_errors=True) as root:
        Path(root).chmod(0o755)
        environment = {**environment_here(), "PYTEST_DEBUG_TEMPROOT": root}
        cache = Path(root, "cache")
        command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={cache}", *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
            while piece := process.stdout.read1():
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
                last = (last + piece)[-4096:]
        failed = failures_in(cache)
    lines = last.decode(errors="replace").strip().splitlines() or [""]
    return process.returncode, lines[-1], failed


def environment_here():
    """Return the variables of this process, but for one: what is compiled is kept.

    Of the thousands of processes that tests start none has to compile the product again.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def compile_all():
    """Have one process compile the tests, with their asserts, where all would do so at the same time."""
    if not list(Path(__file__).parent.glob("__pycache__/conftest.*.pyc")):
        command = [sys.executable, "-m", "pytest", "--collect-only", "-qq"]
        # What is wrong there is said by the tests themselves.
        subprocess.run(command, stdout=subprocess.DEVNULL, env=environment_here(), check=False)


def failures_in(cache):
    """Return the tests that pytest has noted as failed, each as it is named on the command line."""
    noted = cache / "v" / "cache" / "lastfailed"
    return [GROUP.sub("", name) for name in json.loads(noted.read_text())] if noted.exists() else []


def run_again(ended):
    """Return how a group *ended*, counting as unsteady what failed in it and passes alone."""
    code, line, failed = ended
    if code != FAILED or not 0 < len(failed) <= MOST_AGAIN:
        return ended, []
    print(f"once more, alone: {', '.join(failed)}", flush=True)
    if run(failed)[0] != 0:
        return ended, []
    found = counts(line)
    found["passed"] = found.get("passed", 0) + found.pop("failed", 0) + found.pop("error", 0)
    counted = ", ".join(f"{count} {name}" for name, count in found.items())
    return (0, f"{counted} in {line.rpartition(' in ')[2]}", []), failed


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


def exit_code(codes):
    """Return 0 only if every group with tests passed; pytest that was killed has a code below 0."""
    failures = [code for code in codes if code not in {0, NO_TESTS}]
    if failures:
        return max(*failures, FAILED)
    return 0 if 0 in codes else NO_TESTS


def main(arguments):
    if COMPILE in arguments:
        compile_all()
        return 0
    began_s = time.monotonic()
    groups = GROUPS[LONG in arguments]
    rest = [each for each in arguments if each != LONG]
    ended, unsteady = [], []
    for group in groups:
        result, passed_alone = run_again(run((*group, *rest)))
        ended.append(result)
        unsteady.extend(passed_alone)
    code = exit_code([code for code, *_ in ended])
    took_s = time.monotonic() - began_s
    minutes, seconds = divmod(round(took_s), 60)
    total = together(line for _code, line, _failed in ended)
    for (option, group, *_), (ended_with, line, _failed) in zip(groups, ended, strict=True):
        if ended_with != NO_TESTS and (ended_with not in {0, FAILED} or not counts(line)):
            total = f"incomplete: {option} '{group}' ended with {ended_with}; {total}"
    for name in unsteady:
        print(f"unsteady: {name} failed beside others and passed alone", flush=True)
    print(f"{total} in {took_s:.2f}s (0:{minutes:02d}:{seconds:02d})", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
