"""Odd surroundings of the field: who we run as, how a target is called, where its limit is set."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import yaml

from capacity.domain.resources import Resource
from capacity.monitor.collectors.registry import target_collectors
from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.host.target import Target
from capacity.monitor.limits.applications.applications import Applications
from capacity.monitor.sampler import Sampler

NOBODYS_UID = 54_321
"""In no passwd file, as OpenShift gives a container one."""
RAMP = {
    "profile": 1,
    "name": "short",
    "kind": "ramp",
    "levels": [4],
    "connects_per_s": 100,
    "settle_s": 0.5,
    "plateau_s": 1,
    "ramp_timeout_s": 20,
    "mix": {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0},
}
MIB = 1 << 20
SAYS_READY = "print('ready', flush=True); import sys; sys.stdin.read()"


@pytest.fixture
def nobody():
    """Return a folder of a user without name, HOME and USER, and how to start Python there as that user."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root with setpriv becomes another user")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        os.chown(folder, NOBODYS_UID, 0)

        def start(*arguments):
            # Reading is allowed, because this Python may lie below a folder of root.
            may = "+dac_read_search"
            who = ("--reuid", str(NOBODYS_UID), "--regid", "0", "--clear-groups")
            becoming = ("setpriv", *who, "--inh-caps", may, "--ambient-caps", may)
            process = stack.enter_context(
                subprocess.Popen(
                    [*becoming, sys.executable, *arguments],
                    cwd=folder,
                    env={"PATH": os.environ["PATH"]},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            return process

        yield Path(folder), start


def test_a_user_without_a_name_or_a_home_measures_and_reports(nobody):
    folder, start = nobody
    server = start(str(Path(__file__).with_name("feed_server.py")), "quiet")
    port = int(server.stdout.readline())
    target = {
        "target": 1,
        "name": "field",
        "host": "127.0.0.1",
        "port": port,
        "dialect": "json-push",
        "channels": ["updates"],
        "symbols": ["A"],
        "agent": {"local": {"port": port}},
    }
    for name, content in (("target", target), ("ramp", RAMP)):
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content), "utf-8")
    files = ("--target", "./target.yaml", "--profile", "./ramp.yaml")
    commands = (("measure", *files, "--run", "run"), ("report", "run"))
    for command in commands:
        process = start("-m", "capacity.cli.main", *command)
        _said, told = process.communicate(timeout=120)
        # One step of a few connections says too little for a plan: 5 is an answer too.
        assert process.returncode in {0, 5}, (command, told)
        assert "Traceback" not in told

    assert (folder / "run" / "report.html").stat().st_uid == NOBODYS_UID


@pytest.fixture
def start_named():
    """Start a process with that name, as the kernel has it; returns its id."""
    with ExitStack() as stack:

        def start(name):
            call = f"import ctypes; ctypes.CDLL(None).prctl(15, {name!r}, 0, 0, 0)"
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-ISc", f"{call}\n{SAYS_READY}"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            stack.callback(process.kill)
            assert process.stdout.readline() == b"ready\n"
            return process.pid

        yield start


def sampled(pid):
    target = Target(Selector(pid=pid))
    target.resolve()
    with closing(TargetListeners()) as listeners:
        sampler = Sampler(target, target_collectors(listeners, Applications()), [])
        sampler.prime()
        return sampler.sample()


@pytest.mark.parametrize("name", [b":-) 1 2 3", b") S 1 (", b"a\nb", b"\xff\xfe", b"(" * 15])
def test_a_target_is_sampled_whatever_it_calls_itself(start_named, name):
    odd, plain = sampled(start_named(name)), sampled(start_named(b"plain"))

    assert odd.target_started_at is not None
    assert odd.used.keys() == plain.used.keys()
    assert odd.missing.keys() == plain.missing.keys()
    assert odd.used[Resource.DESCRIPTORS] == plain.used[Resource.DESCRIPTORS]


def audited(pid):
    done = subprocess.run(
        [sys.executable, "-m", "capacity.monitor", "--pid", str(pid), "--audit", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def nested(start_named):
    """Put a process into the innermost of three memory groups; returns it and them, outermost first."""
    with ExitStack() as stack:
        pid, group = start_named(b"plain"), Path("/sys/fs/cgroup/memory")
        groups = []
        for name in (f"capacity-field-{pid}", "b", "c"):
            group /= name
            try:
                group.mkdir()
            except OSError as error:
                pytest.skip(f"no version 1 memory group can be made here: {error}")
            stack.callback(group.rmdir)
            groups.append(group)
        home = Path("/sys/fs/cgroup/memory/cgroup.procs")
        (group / "cgroup.procs").write_text(str(pid))
        stack.callback(home.write_text, str(pid))
        yield pid, groups


@pytest.mark.parametrize(
    ("mebibytes", "binding"), [((300, None, None), 0), ((300, 200, None), 1), ((300, 200, 400), 1)]
)
def test_the_tightest_group_above_a_target_binds_and_is_named(nested, mebibytes, binding):
    pid, groups = nested
    for group, limit in zip(groups, mebibytes, strict=True):
        if limit is not None:
            (group / "memory.limit_in_bytes").write_text(str(limit * MIB))

    (limit,) = (each for each in audited(pid)["limits"] if each["resource"] == "memory")
    tightest = groups[binding] / "memory.limit_in_bytes"
    assert limit["value"] == mebibytes[binding] * MIB
    assert str(tightest) in limit["source"]
