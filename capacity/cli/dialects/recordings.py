"""Recordings as files."""

from pathlib import Path

from capacity.domain.errors import ConfigError
from capacity.domain.outside import utf8_text
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
    return read_session(utf8_text(content, str(path)), str(path))
