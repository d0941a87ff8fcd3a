"""A conversation with a live server, shown and recorded as it goes on."""

import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from capacity.cli.dialects.shown import Frames
from capacity.domain.errors import ConfigError
from capacity.settings.target import Target
from capacity.workload.drafting.recorded_session import Frame, written
from capacity.workload.drafting.replay import Counts
from capacity.workload.drafting.understood import verdict
from capacity.workload.reception import Reception


class FrameWatcher:
    """Shows each frame, counts what was made of it, and keeps it to be written."""

    def __init__(self, most: int, *, knows_dialect: bool = True) -> None:
        """Show *most* frames; what they mean is not told where nobody *knows_dialect* yet."""
        self._knows_dialect = knows_dialect
        self.counts = Counts()
        self.frames: list[Frame] = []
        self._shown = Frames(most)
        self._began_s = time.time()

    def sent(self, payload: bytes) -> None:
        """Show what we said."""
        self._note(payload, None)
        self.counts.ours += 1

    def heard(self, payload: bytes, receptions: list[Reception] | Any) -> None:
        """Show what the target said, and what was made of it."""
        now_s = time.time()
        self._note(payload, verdict(receptions, now_s) if self._knows_dialect else "")
        for reception in receptions:
            self.counts.note(reception, now_s)

    def close(self) -> None:
        self._shown.close()

    def _note(self, payload: bytes, made: str | None) -> None:
        at_s = time.time()
        self.counts.frames += 1
        self.frames.append(Frame(payload=payload, is_ours=made is None, at_s=at_s))
        self._shown.show(at_s - self._began_s, payload, made)


def target_at(url: str, **settings: Any) -> Target:
    """Return the target that *url* leads to. Raises ConfigError."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in {"ws", "wss", "http", "https"} or not parts.hostname or port == 0:
        raise ConfigError(f"the URL must be ws://HOST:PORT or wss://HOST:PORT (got {url[:80]!a})")
    tls = parts.scheme in {"wss", "https"}
    return Target(
        target=1,
        name="url",
        host=parts.hostname,
        port=port or (443 if tls else 80),
        tls=tls,
        **settings,
    )


def write_new(path: Path, text: str) -> None:
    """Write *path*, which must not be there yet. Raises ConfigError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path.parent}: cannot be made: {error.strerror}") from None
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(
            f"{path}: is there already and is never overwritten; name another"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None


def write_recording(path: Path, frames: list[Frame], url: str) -> None:
    """Write *frames* as a session. Raises ConfigError."""
    write_new(path, "".join(f"{line}\n" for line in written(frames, url)))
