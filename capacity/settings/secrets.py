"""Values that stand in no settings file: read by name, when they are needed, and never shown."""

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from capacity.domain.errors import ConfigError
from capacity.settings.locate import beside
from capacity.workload.dialects.endpoints import Headers, Secret
from capacity.workload.dialects.template import fill

MOST_BYTES = 1 << 16
HIDDEN = "(not recorded)"


def open_to_others(file: Path) -> bool:
    """Tell whether other users of this host may read or write *file*."""
    try:
        return bool(file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH))
    except OSError:
        return False


def secret_text(secret: Secret, what: str) -> str:
    """Return the value. Raises ConfigError with where it should be, and never with what it is."""
    if secret.file is not None:
        return text_in(Path(secret.file), what)
    value = os.environ.get(secret.env or "")
    if not value:
        raise ConfigError(
            f"{what}: the environment has no {secret.env}; set it where the generator is started"
        )
    return value


def headers_for_others(layers: Iterable[tuple[str, Headers]]) -> list[tuple[str, str]]:
    """Return key and file of each header's value that other users of this host may read or write."""
    return [
        (f"{key}.{name}.file", value.file)
        for key, headers in layers
        for name, value in headers.items()
        if isinstance(value, Secret)
        if value.file is not None and open_to_others(Path(value.file))
    ]


def text_in(file: Path, what: str) -> str:
    """Return the content of *file* without its last newline. Raises ConfigError."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
        raise ConfigError(f"{what}: {file} cannot be read: {reason}") from None
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{what}: {file} is larger than {MOST_BYTES} bytes; name another file")
    return text.removesuffix("\n").removesuffix("\r")


def header_values(
    layers: Iterable[tuple[str, Headers]], values: Mapping[str, Any]
) -> dict[str, str]:
    """Return name -> value of the headers in *layers*, a later one in place of an earlier one.

    Each layer comes with the key that it stands under. Raises ConfigError where a value cannot be
    had or is no line of a header; KeyError for one of *values* that is not there.
    """
    found: dict[str, tuple[str, str]] = {}
    for key, headers in layers:
        for name, value in headers.items():
            what = f"{key}.{name}"
            text = str(fill(value, values)) if isinstance(value, str) else secret_text(value, what)
            if not text.isprintable() or text != text.strip():
                raise ConfigError(f"{what}: its value is no single line of visible characters")
            found[name.lower()] = (name, text)
    return dict(found.values())


def anchored(headers: Headers, folder: Path) -> Headers:
    """Return *headers* with files that are named relative to *folder*."""
    return {
        name: replace(value, file=beside(folder, value.file))
        if isinstance(value, Secret) and value.file is not None
        else value
        for name, value in headers.items()
    }
