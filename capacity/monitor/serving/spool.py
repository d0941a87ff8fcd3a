"""Samples kept in files, for a run that nobody could fetch them from.

DIR/samples-00000001.ndjson and so on: the first line of each is what /v1/info answers, every other
one a sample as /v1/samples answers it. Each start of the agent begins a new file, as does a full
one; the oldest go when all together reach their bound. Nothing else is ever written, or removed.

Lines come from the ring: what a full disk did not take is written once it takes something again.
"""

import errno
import fcntl
import os
import re
from collections.abc import Callable
from pathlib import Path

from capacity.domain.errors import ConfigError, PreflightError
from capacity.domain.sample import AgentInfo
from capacity.monitor.notes import Notes
from capacity.monitor.serving.ring_consumer import RingConsumer
from capacity.monitor.serving.store import SampleRing, as_json

FILES = 8
"""The bound is spread over so many files; the oldest goes as a whole."""
_OURS = re.compile(r"samples-(\d{8})\.ndjson")
_PAUSE_S = 2.0
_WAKE_S = 60.0
_TOPIC = "spool"


class Spool(RingConsumer):
    """Appends a ring of samples to files in one directory, from a thread of its own."""

    def __init__(
        self,
        directory: Path,
        most_bytes: int,
        ring: SampleRing,
        info: Callable[[], AgentInfo],
        notes: Notes,
    ) -> None:
        """Raises ConfigError without the directory, PreflightError when another agent is at it."""
        super().__init__(ring, "spool")
        self._directory, self._most_bytes = directory, most_bytes
        self._info, self._notes = info, notes
        self._place = _locked(directory)
        self._file: int | None = None
        self._size_bytes = 0
        self._written_seq = 0

    def stop(self, within_s: float) -> None:
        """End, and leave the directory to another agent unless the last write still goes on."""
        super().stop(within_s)
        if not self._thread.is_alive():
            os.close(self._place)

    def _consume(self) -> None:
        while True:
            is_last = self._stop.is_set()
            try:
                self.write()
                self._notes.drop(_TOPIC)
            except OSError as error:
                self._notes.say(
                    _TOPIC,
                    f"--spool {self._directory}: {error.strerror}; sampling goes on, and what is "
                    "still in memory when this is over is written then",
                )
                self._stop.wait(_PAUSE_S)
            if is_last:
                break
            self._ring.wait_beyond(self._written_seq, _WAKE_S, self._stop)
        self._close()

    def write(self) -> None:
        """Append every sample that is not in a file yet. Raises OSError; then try again later."""
        for seq, line in self._ring.since(self._written_seq):
            if self._file is None or self._size_bytes + len(line) > self._most_bytes // FILES:
                self._begin_file()
            self._append(line)
            self._written_seq = seq

    def _begin_file(self) -> None:
        self._close()
        names = os.listdir(self._place)  # noqa: PTH208 - Path has none for a descriptor
        ours = {int(match[1]): match[0] for name in names if (match := _OURS.fullmatch(name))}
        number = max(ours, default=0) + 1
        self._remove_oldest([ours[number] for number in sorted(ours)])
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        name = f"samples-{number:08}.ndjson"
        self._file, self._size_bytes = os.open(name, flags, 0o640, dir_fd=self._place), 0
        try:
            self._append(f"{as_json(self._info())}\n".encode())
        except OSError:
            self._close()
            os.unlink(name, dir_fd=self._place)
            raise

    def _append(self, line: bytes) -> None:
        """Write the whole line or nothing of it."""
        assert self._file is not None
        if not os.fstat(self._file).st_nlink:
            self._close()
            raise OSError(errno.ENOENT, "the file was removed while it was written")
        try:
            written = os.write(self._file, line)
        except OSError:
            os.ftruncate(self._file, self._size_bytes)
            raise
        if written < len(line):
            os.ftruncate(self._file, self._size_bytes)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size_bytes += written

    def _remove_oldest(self, files: list[str]) -> None:
        """Make room for a further file within the bound."""
        sizes = {name: os.stat(name, dir_fd=self._place).st_size for name in files}
        room_bytes = self._most_bytes - self._most_bytes // FILES
        for name in files:
            if sum(sizes.values()) <= room_bytes:
                return
            os.unlink(name, dir_fd=self._place)
            del sizes[name]

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _locked(directory: Path) -> int:
    """Return a descriptor of *directory* that no other agent has locked."""
    try:
        place = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError(
            f"--spool {directory}: {error.strerror}; name a directory that is there"
        ) from error
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(place)
        raise PreflightError(
            f"--spool {directory}: another agent writes there; use one directory per agent"
        ) from error
    if not os.access(directory, os.W_OK | os.X_OK, effective_ids=True):
        os.close(place)
        raise ConfigError(f"--spool {directory}: not writable")
    return place
