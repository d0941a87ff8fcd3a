"""What a reader of configurations may know of a process: its words, a few variables, its files.

Of the environment only the variables that a reader names are ever kept: it holds secrets.
"""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from capacity.monitor.host.procfs import read_text
from capacity.monitor.limits.applications.config_files import Files
from capacity.monitor.limits.applications.settings import Setting, UnclearError

_INTERPRETERS = ("python", "pypy")
_DELETED = " (deleted)"
_TICK_S = 2.0
"""A file written while the process was started is what it read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """The topmost process of one application."""

    pid: int
    names: tuple[str, ...]
    """What its program may be called, the surest first."""
    words: tuple[str, ...]
    """The command line; a program may have rewritten it."""
    files: Files
    started_at: float
    """Start of its youngest process, epoch seconds: a reload starts new ones."""
    workers: int = 0
    """Processes of the same program that it started."""
    listening: int = 0
    """Addresses that it listens on; 0 where that is not known."""
    proc: str = "/proc"

    def environ(self, names: Collection[str]) -> dict[str, str]:
        """Return those of *names* that are set; PermissionError where that may not be read."""
        return {name: value for name, value in self._variables() if name in names}

    def environ_below(self, prefixes: Sequence[str]) -> dict[str, str]:
        """Return the variables whose names begin so; PermissionError likewise."""
        known = tuple(prefixes)
        return {name: value for name, value in self._variables() if name.startswith(known)}

    def _variables(self) -> Iterator[tuple[str, str]]:
        for line in read_text(f"{self.proc}/{self.pid}/environ").split("\0"):
            name, _, value = line.partition("=")
            yield name, value

    def variable(self, name: str) -> Setting | None:
        """Return one variable of the environment as a setting."""
        text = self.environ((name,)).get(name)
        where = f"{self.proc}/{self.pid}/environ"
        return None if text is None else Setting(name, text, where)

    def option(self, *names: str) -> Setting | None:
        """Return the last of an option's values on the command line: `--name=1`, `--name 1`, `-n1`."""
        found = None
        for name, text in self.options(names):
            found = Setting(name, text, self.command_line)
        return found

    def options(self, names: Collection[str]) -> Iterator[tuple[str, str]]:
        """Yield name and value wherever one of *names* is on the command line, behind the program's own name."""
        return options(self.words[1:], names)

    @property
    def command_line(self) -> str:
        return f"{self.proc}/{self.pid}/cmdline"

    def lines(self, path: str, base: str | None = None) -> list[tuple[str, str]]:
        """Return text and place of each line of a file; OSError says why there is none."""
        path = self.files.absolute(path, base)
        text = self.files.text(path)
        note = self.changed(path)
        return [
            (line, f"{path}:{number}{note}")
            for number, line in enumerate(text.splitlines(), start=1)
        ]

    def changed(self, path: str) -> str:
        """Return what to say of a file that was written after the process was started."""
        is_newer = self.files.changed_at(path) > self.started_at + _TICK_S
        return " (changed after the process started)" if is_newer else ""

    def first_existing(self, paths: Sequence[str]) -> str:
        """Return the first of *paths* that is there; UnclearError where none is."""
        found = next((path for path in paths if self.files.exists(path)), None)
        if found is None:
            raise UnclearError(
                f"its configuration is at none of the usual places: {', '.join(paths)}",
                self.command_line,
            )
        return found


def options(words: Sequence[str], names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield name and value wherever one of *names* is among *words*."""
    rest = iter(words)
    for word in rest:
        if word == "--":
            return
        name, equals, value = word.partition("=")
        short = word[:2] in names and not word.startswith("--") and len(word) > 2
        if word in names:
            yield word, next(rest, "")
        elif equals and name in names and name.startswith("--"):
            yield name, value
        elif short:
            yield word[:2], word[2:].removeprefix("=")


def names_of(pid: int, proc: str = "/proc") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what the program of *pid* may be called, and its command line."""
    words = tuple(read_text(f"{proc}/{pid}/cmdline").rstrip("\0").split("\0"))
    title = words[0].partition(" ")[0].rstrip(":")
    names = [PurePath(title).name]
    try:
        program = os.readlink(f"{proc}/{pid}/exe")  # noqa: PTH115 - as in discovery
        names.insert(0, PurePath(program.removesuffix(_DELETED)).name)
    except OSError:
        pass  # Not ours to look at; most programs leave their first word alone.
    if any(name.startswith(_INTERPRETERS) for name in names):
        names += _script(words[1:])
    return tuple(dict.fromkeys(filter(None, names))), words


def _script(words: Sequence[str]) -> list[str]:
    """Return the program that an interpreter runs: a file, or a module behind -m."""
    for position, word in enumerate(words):
        if word == "-m":
            return [name.partition(".")[0] for name in words[position + 1 : position + 2]]
        if not word.startswith("-"):
            return [PurePath(word).name.removesuffix(".py")]
    return []


def files_of(pid: int, proc: str = "/proc") -> Files:
    """Return the files below the root directory of *pid*, and where it works there.

    Where that may not be read, and what is mounted as its root is what is mounted as ours, they are
    those that we see.
    """
    root = f"{proc}/{pid}/root"
    try:
        outside = os.readlink(root)  # noqa: PTH115 - as above
        cwd = os.readlink(f"{proc}/{pid}/cwd")  # noqa: PTH115
    except OSError:
        is_ours = _root_mount(f"{proc}/{pid}") == _root_mount(f"{proc}/self")
        return Files("/" if is_ours else root, None)
    if outside != "/" and cwd.startswith(outside):
        cwd = cwd[len(outside) :] or "/"
    return Files(root, cwd)


def _root_mount(process: str) -> tuple[str, str] | None:
    """Return device and folder that are mounted as the root of a process (proc(5), mountinfo)."""
    try:
        lines = read_text(f"{process}/mountinfo").splitlines()
    except OSError:
        return None
    mounts = [line.split() for line in lines]
    roots = [(words[2], words[3]) for words in mounts if len(words) > 4 and words[4] == "/"]
    return roots[-1] if roots else None
