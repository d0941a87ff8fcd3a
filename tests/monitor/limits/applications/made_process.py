"""A process that is made up: its files below a made-up root, and what the readers say of it."""

from pathlib import Path

from capacity.domain.resources import AuditEntry, LimitState, Resource
from capacity.monitor.limits.applications.config_files import Files
from capacity.monitor.limits.applications.entries import unclear
from capacity.monitor.limits.applications.process import Process, names_of
from capacity.monitor.limits.applications.registry import READERS, program_of
from capacity.monitor.readings import READ_ERRORS

PID = 7


class Made:
    """A process of which only /proc and its files exist."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.proc = folder / "proc"
        (self.proc / str(PID)).mkdir(parents=True)
        self.root.mkdir()
        self.environ = {}
        self.open_files = 4096

    def write(self, path: str, text: str) -> Path:
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    def process(self, *words: str, started_at: float = 1e12, **known: object) -> Process:
        folder = self.proc / str(PID)
        (folder / "cmdline").write_text("\0".join(words) + "\0")
        pairs = [f"{name}={value}" for name, value in self.environ.items()]
        (folder / "environ").write_text("\0".join(pairs))
        (folder / "limits").write_text(
            "Limit Soft Limit Hard Limit Units\n"
            f"Max open files            {self.open_files}        {self.open_files}       files\n"
        )
        (self.proc / "meminfo").write_text("MemTotal:       10000000 kB\n")
        names, _ = names_of(PID, str(self.proc))
        return Process(
            pid=PID,
            names=names,
            words=words,
            files=Files(str(self.root), "/srv"),
            started_at=started_at,
            proc=str(self.proc),
            **known,
        )

    def entries(self, *words: str, **known: object) -> list[AuditEntry]:
        """Return what the reader of the program says, what it raises as an entry."""
        process = self.process(*words, **known)
        found = []
        try:
            found.extend(READERS[program_of(process.names)](process))
        except READ_ERRORS as error:
            found.append(unclear("unread", error, "?"))
        return found

    def caps(self, *words: str, **known: object) -> list[tuple[float, tuple[int, ...]]]:
        """Return value and ports of every known cap."""
        return [
            (entry.value, entry.ports)
            for entry in self.entries(*words, **known)
            if entry.resource is Resource.APPLICATION_CONNECTIONS
            and entry.state is LimitState.KNOWN
        ]

    def unknown(self, *words: str, **known: object) -> AuditEntry:
        """Return the one entry that is unknown."""
        entries = self.entries(*words, **known)
        (entry,) = [each for each in entries if each.state is LimitState.UNKNOWN]
        return entry
