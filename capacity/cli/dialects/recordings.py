"""Recordings as files."""

from pathlib import Path

from capacity.domain.errors import ConfigError
from capacity.workload.drafting.recorded_session import Session, read_session

MOST_BYTES = 256 * 2**20


def load_session(path: Path) -> Session:
    """Return the session that is recorded in *path*. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{path}: larger than {MOST_BYTES} bytes; record a shorter session")
    try:
        return read_session(content.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text") from None
