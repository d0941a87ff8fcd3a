"""The version is the installed package's; copied files say that they are copied."""

import subprocess
import sys
from importlib.metadata import version

from capacity.monitor.version import agent_version


def test_the_version_is_the_packages():
    assert agent_version() == version("capacity")


def test_copied_files_say_so(root, tmp_path):
    """Run from a copy with an interpreter that sees no installed packages."""
    copy = tmp_path / "capacity" / "monitor"
    copy.mkdir(parents=True)
    (copy / "version.py").write_text((root / "capacity/monitor/version.py").read_text())
    line = "from capacity.monitor.version import agent_version; print(agent_version())"
    ran = subprocess.run(
        [sys.executable, "-S", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert ran.stdout == "unpackaged\n"
