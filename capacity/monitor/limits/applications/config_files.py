"""A process's own configuration files: found below its root directory, and nowhere else.

A process may live in a container or a chroot, and whoever writes its configuration may not be who
runs the agent. So every link is followed by hand below /proc/PID/root; only regular files are
opened, as far as their size says (those of /proc say 0); and sizes and numbers are bounded.
"""

import errno
import fnmatch
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

MOST_FILE_BYTES = 1 << 20
MOST_FILES = 256
"""That one process's configuration may consist of."""
_MOST_ENTRIES = 4096
_MOST_PARTS = 256
_WILD = frozenset("*?[")

_Signature = tuple[int, int, int, int] | None


class Files:
    """What one process finds at a path; the same object answers whether any of it changed."""

    def __init__(self, root: str, cwd: str | None = "/") -> None:
        """Take the root directory; without *cwd* no relative path can be told."""
        self._root = root
        self._cwd = cwd
        self._seen: dict[str, _Signature] = {}
        self._read = 0

    def absolute(self, path: str, base: str | None = None) -> str:
        """Return *path* as the process means it: relative to *base*, by default where it works."""
        if path.startswith("/"):
            return path
        folder = base or self._cwd
        if folder is None:
            raise PermissionError(errno.EACCES, "where the process works may not be read", path)
        return f"{folder}/{path}".replace("//", "/")

    def text(self, path: str) -> str:
        """Return the content of a regular file; OSError says why there is none."""
        if self._read >= MOST_FILES:
            raise OSError(errno.EMFILE, f"its configuration has more than {MOST_FILES} files", path)
        self._read += 1
        self._seen[path] = None
        with self._opened(path) as handle:
            status = os.fstat(handle)
            self._seen[path] = _signature(status)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "not a regular file", path)
            if status.st_size > MOST_FILE_BYTES:
                raise OSError(errno.EFBIG, f"larger than {MOST_FILE_BYTES >> 20} MiB", path)
            # By its descriptor: what it leads to is what was looked at.
            reader = os.open(
                f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            )
            try:
                return os.read(reader, status.st_size).decode(errors="replace")
            finally:
                os.close(reader)

    def exists(self, path: str) -> bool:
        return self._look(path) is not None

    def changed_at(self, path: str) -> float:
        """Return when a file that was read was written last, epoch seconds."""
        signature = self._seen.get(path)
        return 0.0 if signature is None else signature[2] / 1e9

    def matching(self, pattern: str) -> list[str]:
        """Return the files of a shell's pattern, sorted; *pattern* itself where nothing is wild."""
        found = ["/"]
        for part in filter(None, pattern.split("/")):
            if _WILD.isdisjoint(part):
                found = [f"{folder.rstrip('/')}/{part}" for folder in found]
            else:
                found = [
                    f"{folder.rstrip('/')}/{name}"
                    for folder in found
                    for name in self._names(folder)
                    if fnmatch.fnmatchcase(name, part)
                    and (part[0] == "." or not name.startswith("."))
                ]
            if len(found) > _MOST_ENTRIES:
                raise OSError(errno.E2BIG, "too many files match", pattern)
        return sorted(found)

    def is_unchanged(self) -> bool:
        """Tell whether all that was looked at is as it was then."""
        try:
            return all(self._now(path) == signature for path, signature in self._seen.items())
        except OSError:
            return False

    def _names(self, folder: str) -> list[str]:
        if self._look(folder) is None:
            return []
        with self._opened(folder) as handle:
            try:
                names = os.listdir(f"/proc/self/fd/{handle}")  # noqa: PTH208 - by its descriptor
            except NotADirectoryError:
                return []
        if len(names) > _MOST_ENTRIES:
            raise OSError(errno.E2BIG, f"more than {_MOST_ENTRIES} files", folder)
        return names

    def _look(self, path: str) -> _Signature:
        self._seen[path] = self._now(path)
        return self._seen[path]

    def _now(self, path: str) -> _Signature:
        try:
            with self._opened(path) as handle:
                return _signature(os.fstat(handle))
        except (FileNotFoundError, NotADirectoryError):
            return None

    @contextmanager
    def _opened(self, path: str) -> Iterator[int]:
        """Open what *path* leads to below the root, for looking only (O_PATH)."""
        with ExitStack() as opened:
            try:
                yield _walk(opened, self._root, path)
            except OSError as error:
                error.filename = path
                raise


def _walk(opened: ExitStack, root: str, path: str) -> int:
    """Return what *path* leads to; ".." above the root and absolute links stay below it."""
    handles = [_close_later(opened, os.open(root, os.O_PATH | os.O_CLOEXEC))]
    pending = path.split("/")[::-1]
    for _ in range(_MOST_PARTS):
        while pending and pending[-1] in {"", "."}:
            pending.pop()
        if not pending:
            return handles[-1]
        part = pending.pop()
        if part == "..":
            handles = handles[:1] + handles[1:-1]
            continue
        flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = _close_later(opened, os.open(part, flags, dir_fd=handles[-1]))
        if stat.S_ISLNK(os.fstat(handle).st_mode):
            target = os.readlink("", dir_fd=handle)
            handles = handles[:1] if target.startswith("/") else handles
            pending += target.split("/")[::-1]
        else:
            handles.append(handle)
    raise OSError(errno.ELOOP, "too many links", path)


def _close_later(opened: ExitStack, handle: int) -> int:
    opened.callback(os.close, handle)
    return handle


def _signature(status: os.stat_result) -> _Signature:
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size
