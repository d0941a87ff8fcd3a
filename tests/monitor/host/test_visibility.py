"""A /proc that hides other users' processes, really mounted in a namespace of its own."""

import os
import shutil
import subprocess
import sys

import pytest

from capacity.monitor.host.visibility import (
    hides_processes,
    hint,
    is_hidden,
    is_visible,
    sees_one_container,
)

MOUNTED = "25 30 0:23 / /proc rw,relatime{} - proc proc rw{}\n"


@pytest.fixture
def proc(tmp_path, write_file):
    def make(*mounts):
        write_file("self/mountinfo", "".join(MOUNTED.format(*options) for options in mounts))
        return str(tmp_path)

    return make


@pytest.mark.parametrize("option", ["hidepid=1", "hidepid=2", "hidepid=invisible", "hidepid=4"])
def test_the_option_is_seen_wherever_the_kernel_shows_it(proc, option):
    assert hides_processes(proc((f",{option}", "")))
    assert hides_processes(proc(("", f",{option},gid=4")))


@pytest.mark.parametrize("option", ["", ",hidepid=0", ",hidepid=off", ",gid=2"])
def test_other_options_hide_nothing(proc, option):
    assert not hides_processes(proc(("", option)))


def test_the_last_mount_counts(proc):
    assert not hides_processes(proc(("", ",hidepid=2"), ("", "")))
    assert hides_processes(proc(("", ""), ("", ",hidepid=2")))


def test_what_cannot_be_read_hides_nothing(tmp_path):
    assert not hides_processes(str(tmp_path))


def test_where_all_is_shown_there_is_no_hint():
    assert (hint(), is_visible(os.getpid()), is_hidden(os.getpid())) == ("", True, False)
    assert not is_hidden(2**22 + 1)


@pytest.fixture
def hidden(bystander):
    """Run the agent as nobody below a /proc with hidepid; return exit code and what it said."""
    programs = [shutil.which(name) for name in ("unshare", "setpriv", "mount")]
    if os.geteuid() != 0 or not all(programs):
        pytest.skip("root, unshare, setpriv and mount are needed to hide processes")

    def run(*arguments):
        inside = (
            "mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=65534 --regid=65534"
            f' --clear-groups {sys.executable} -m capacity.monitor --audit "$@"'
        )
        command = ["unshare", "-m", "sh", "-ec", inside, "sh", *map(str, arguments)]
        # Nobody may not write where `make coverage` has children write what they covered.
        env = {name: value for name, value in os.environ.items() if name[:9] != "COVERAGE_"}
        ran = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=20, env=env
        )
        if "mount:" in ran.stderr or "No module named" in ran.stderr:
            pytest.skip(f"no such mount can be made here: {ran.stderr.strip()}")
        return ran.returncode, ran.stderr

    return run


def test_a_hidden_process_is_told_from_one_that_is_not_there(hidden, bystander):
    code, said = hidden("--pid", bystander.pid)

    assert (code, said.count("\n")) == (4, 1)
    assert f"process {bystander.pid} is not visible: /proc hides other users' processes" in said
    assert "there is no process" in hidden("--pid", 2**22 - 7)[1]


@pytest.mark.parametrize("how", [("--name", "python3"), ("--cmdline", "python3 -ISc")])
def test_finding_nothing_names_what_hides(hidden, how):
    code, said = hidden(*how)

    assert (code, said.count("\n")) == (4, 1)
    assert "hidepid" in said


def test_an_agent_in_a_container_is_told_from_one_on_the_host(write_file, tmp_path):
    host = write_file("self/ns/pid", "")
    host.unlink()
    assert not sees_one_container(str(tmp_path))
    host.symlink_to("pid:[4026531836]")
    assert not sees_one_container(str(tmp_path))
    host.unlink()
    host.symlink_to("pid:[4026532221]")
    assert sees_one_container(str(tmp_path))
