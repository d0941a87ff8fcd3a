"""What has to be compiled, once for each text of its source, in the folder for temporary files."""

import contextlib
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path


def built(source, make):
    """Return the folder that *make*(source, folder) filled."""
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    place = Path(tempfile.gettempdir()) / f"validation-built-{os.getuid()}-{source.stem}-{digest}"
    if not place.exists():
        part = Path(tempfile.mkdtemp(prefix="validation-building-"))
        make(source, part)
        with contextlib.suppress(OSError):  # Another one was faster.
            part.rename(place)
    return place


def quietly(*argv, **more):
    subprocess.run([str(each) for each in argv], check=True, stdin=subprocess.DEVNULL, **more)
