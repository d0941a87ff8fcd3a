"""Runs a command of the product in a fork of this process: what it imports is loaded only once."""

import importlib
import os
import signal
import sys
import tempfile
import traceback
from dataclasses import dataclass

LONGEST_ANSWER_S = 60


@dataclass(frozen=True)
class Answer:
    """What a command said; the code is negative where a signal ended it."""

    code: int
    out: str
    said: str


def ask(folder, *arguments):
    """Return the answer of `capacity ARGUMENTS`, run in *folder*; SIGALRM ends it where it hangs."""
    entry = importlib.import_module("capacity.cli.main")
    importlib.import_module("capacity.cli.plan")
    importlib.import_module("capacity.cli.report")
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            os._exit(_answered(entry, folder, arguments, out.fileno(), said.fileno()))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        texts = []
        for file in (out, said):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return Answer(code, *texts)


def _answered(entry, folder, arguments, out, said):
    """Be that command."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LONGEST_ANSWER_S)
    try:
        os.chdir(folder)
        os.dup2(out, 1)
        os.dup2(said, 2)
        # Whoever calls may have put something else there.
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        sys.argv = ["capacity", *map(str, arguments)]
        entry.main()
        code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:  # noqa: BLE001 - a traceback is what is looked for
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code
