"""Mojolicious: --clients of each worker, 1,000 by default; who comes beyond waits in the accept queue.

A script in Perl is taken for one of it if it says so. Under hypnotoad the numbers stand in that script or
in a file of its own choice: of the script, plain numbers behind `clients` and `workers` are taken, and no
code is run. Found by filling version 9.31: workers take no more than their own share, all together.
"""

import re
from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.entries import cap, told
from capacity.monitor.limits.applications.process import Process, options
from capacity.monitor.limits.applications.settings import Setting, UnclearError

NAMES = frozenset({"perl"})
_IS_ITS_OWN = re.compile(r"\bMojo(licious|::)")
_IN_PERL = r"\b{}['\"]?\s*=>\s*(.{{1,40}})"
_CLIENTS, _WORKERS = 1000, 4


def entries(process: Process) -> Iterator[AuditEntry]:
    rest = _without_switches(process.words[1:] if _is_plain(process) else process.words)
    if not rest or not _IS_ITS_OWN.search(process.files.text(process.files.absolute(rest[0]))):
        return
    how = rest[1] if len(rest) > 1 else ""
    if how == "daemon":
        clients, workers = _option(process, rest, "c", "clients", _CLIENTS), 1
    elif how == "prefork":
        clients = _option(process, rest, "c", "clients", _CLIENTS)
        workers = _option(process, rest, "w", "workers", _WORKERS).number()
    elif not how:
        clients = _assigned(process, rest[0], "clients", _CLIENTS)
        workers = _workers(process, rest[0])
    else:
        return
    yield told("clients of a worker", clients.number(), clients.source)
    source = f"{clients.source} ({workers} {'worker' if workers == 1 else 'workers'})"
    yield cap("clients of all workers", clients.number() * workers, source)


def _workers(process: Process, script: str) -> int:
    """Return how many workers hypnotoad has: as many as are seen to live where that is no number."""
    try:
        return _assigned(process, script, "workers", _WORKERS).number()
    except UnclearError:
        if not process.workers:
            raise
        return process.workers


def _is_plain(process: Process) -> bool:
    """Tell whether the command line is perl's own; hypnotoad's is the script alone."""
    return process.words[0].rpartition("/")[2].startswith("perl")


def _without_switches(words: tuple[str, ...]) -> tuple[str, ...]:
    first = next((n for n, word in enumerate(words) if not word.startswith("-")), len(words))
    return words[first:]


def _option(
    process: Process, words: tuple[str, ...], short: str, name: str, default: int
) -> Setting:
    given = list(options(words[2:], (f"-{short}", f"--{name}")))
    if given:
        return Setting(name, given[-1][1], process.command_line)
    return Setting(name, str(default), f"{process.command_line} (the default)")


def _assigned(process: Process, script: str, name: str, default: int) -> Setting:
    found = None
    for line, where in process.lines(script):
        code = line.partition("#")[0]
        for value in re.findall(_IN_PERL.format(name), code):
            found = Setting(name, re.split(r"[,;})\]]", value)[0], where)
    if found is not None:
        return found
    if any("plugin" in line and "onfig" in line for line, _ in process.lines(script)):
        raise UnclearError(f"{name} may stand in its configuration", process.command_line)
    return Setting(name, str(default), f"{process.command_line} (the default)")
