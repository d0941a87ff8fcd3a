"""Puts config/ and locustfiles/ into what is installed, as capacity/data/; all else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


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


setup(cmdclass={"build_py": BuildWithData})
