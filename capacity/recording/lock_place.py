"""Where the locks of targets lie: in one folder of the host for each user, whatever folder a run starts in.

A folder that its user alone may enter: whoever can open the file of a lock can hold it, for ever. Another
user's runs are therefore not seen. CAPACITY_LOCKS names another folder, such as one that hosts share.
"""

import os
import stat
from pathlib import Path

from capacity.domain.errors import ConfigError

VARIABLE = "CAPACITY_LOCKS"
_BASES = (Path("/run/lock"), Path("/tmp"))  # noqa: S108 - in a folder of our own, which is looked at
"""The first where this user may write; what is empty after a boot loses no lock."""


def place_of_locks() -> Path:
    """Return the folder, made where it is missing. Raises ConfigError where others could hold its locks."""
    if named := os.environ.get(VARIABLE):
        return _made(Path(named))
    base = next((each for each in _BASES if os.access(each, os.W_OK | os.X_OK)), _BASES[-1])
    place = _made(base / f"capacity-{os.geteuid()}")
    found = place.lstat()
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not is_own or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError(
            f"{place}: is not a folder that you alone can write to, and others could hold its locks;"
            f" remove it, or name a folder of yours in {VARIABLE}"
        )
    return place


def _made(place: Path) -> Path:
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{place}: cannot be made for the locks of targets ({error.strerror}); name another"
            f" folder in {VARIABLE}"
        ) from None
    return place
