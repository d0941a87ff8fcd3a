"""Puts config/ and locustfiles/ into what is installed, as capacity/data/; all else is in pyproject.toml.

A wheel is the same bytes whoever builds it where: `make wheel` gives the time of the commit, and modes
are not those that a clone happened to get.
"""

import contextlib
import os
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

MODE = 0o644
os.umask(0o022)
with contextlib.suppress(OSError):  # Copied with its mode; who may not change that keeps it.
    Path("LICENSE").chmod(MODE)


class BuildWithData(build_py):
    """Builds the packages, and copies beside them what people edit and a checkout has in its root."""

    def run(self) -> None:
        if self.editable_mode:  # Then both are found where they are.
            super().run()
            return
        shutil.rmtree(
            self.build_lib, ignore_errors=True
        )  # Modules of an earlier build are no longer ours.
        super().run()
        for folder in ("config", "locustfiles"):
            shutil.copytree(
                folder,
                Path(self.build_lib, "capacity", "data", folder),
                ignore=shutil.ignore_patterns("__pycache__"),
            )
        set_modes(Path(self.build_lib))


def set_modes(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(MODE)


setup(cmdclass={"build_py": BuildWithData})
