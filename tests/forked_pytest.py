"""Runs pytest again and again, each time in a fork of a process that has imported what never changes.

Changes are made below capacity/PACKAGE, which is its argument: what imports that, directly or not, and what is
below tests/, each fork imports anew, as a change would have it. A line of JSON on the
standard input asks for a run (`arguments` of pytest, the file for its `output`, and `timeout_s`); a line on the
standard output has its exit code, null for none in time. Whatever a run started is ended with it.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import signal
import sys
import traceback
from os import WNOHANG, fork, setsid, waitpid, waitstatus_to_exitcode
from pathlib import Path
from time import monotonic, sleep

from nearby_tests import importers

LOOKS_EVERY_S = 0.01
PR_SET_CHILD_SUBREAPER = 36
READS_CODE = {"capacity.loadgen.checks.worker_identity"}
"""What reads files of the code when it is imported, to tell programs apart."""
ROOT = Path(__file__).parent.parent


def import_what_never_changes(package):
    """Import all that the code and its tests import from elsewhere, Locust first, then what of the code stays as it is.

    What comes from `os` and `time` above is not what Locust patches, so that this process never enters
    the gevent loop that Locust makes.
    """
    import locust  # noqa: F401

    import pytest  # noqa: F401

    names = {
        name
        for folder in ("capacity", "tests")
        for each in importers(ROOT, folder, "*.py").values()
        for name in each
    }
    elsewhere = sorted(name for name in names if name.partition(".")[0] not in OUR_OWN)
    for name in [*elsewhere, *unchanging(package)]:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def unchanging(package):
    """Return the modules of the code that no change below capacity/PACKAGE can reach, by their dotted names."""
    of = {
        ".".join(("capacity", *path.with_suffix("").parts)).removesuffix(".__init__"): names
        for path, names in importers(ROOT, "capacity", "*.py").items()
        if path.name != "__main__.py" and "migrations" not in path.parts
    }
    changing = {name for name in of if f"{name}.".startswith(f"capacity.{package}.")} | READS_CODE
    while more := {name for name, names in of.items() if names & changing} - changing:
        changing |= more
    return sorted(of.keys() - changing)


OUR_OWN = {"capacity", "locustfiles", "tests", *(path.stem for path in ROOT.glob("tests/**/*.py"))}


def run(asked):
    """Return pytest's exit code of one run in a fork; None where it did not end in time."""
    pid = fork()
    if pid == 0:
        code = 1
        try:
            code = in_fork(asked)
        except BaseException:  # noqa: BLE001 - a fork must never go on where its parent is
            traceback.print_exc()
        finally:
            os._exit(code)
    deadline_s = monotonic() + asked["timeout_s"]
    try:
        while monotonic() < deadline_s:
            ended, status = waitpid(pid, WNOHANG)
            if ended:
                return waitstatus_to_exitcode(status)
            sleep(LOOKS_EVERY_S)
    finally:
        end_all_children()
    return None


def end_all_children():
    """End a run that did not end itself, and what it started, in whatever session: orphans come to this process."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while pids := [int(pid) for pid in children.read_text(encoding="ascii").split()]:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            waitpid(pid, 0)


def in_fork(asked):
    import gevent
    import pytest

    setsid()
    # A loop of its own in place of the one that is shared with whoever forked.
    gevent.reinit()
    output = os.open(asked["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["pytest", *asked["arguments"]]
    code = int(pytest.main(asked["arguments"]))
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def main(package):
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # As python -m pytest has it.
    import_what_never_changes(package)
    gc.freeze()
    sys.path[0] = str(ROOT)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
