"""Real processes with planted use, and views of them as the collectors see them."""

import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.host.target import TargetView, read_stat

STARTED = runpy.run_path(str(Path(__file__).with_name("started_processes.py")))
Agent, Certificate = STARTED["Agent"], STARTED["Certificate"]
Child, Program = STARTED["Child"], STARTED["Program"]
PROGRAMS = Path(__file__).parent / "programs"
"""In the languages of the runtimes whose heaps have caps."""


@pytest.fixture
def start_program() -> Iterator[Callable[..., Program]]:
    programs: list[Program] = []

    def start(*command: str, **variables: str) -> Program:
        if not shutil.which(command[0]):
            pytest.skip(f"{command[0]} is needed")
        programs.append(Program(list(command), variables))
        return programs[-1]

    yield start
    for program in programs:
        program.end()


@pytest.fixture(scope="session")
def java_classes(tmp_path_factory) -> str:
    if not shutil.which("javac"):
        pytest.skip("javac is needed: apt install default-jdk-headless")
    folder = tmp_path_factory.mktemp("java")
    subprocess.run(["javac", "-d", str(folder), str(PROGRAMS / "Held.java")], check=True)
    return str(folder)


@pytest.fixture
def start_java(start_program, java_classes) -> Callable[..., Program]:
    return lambda *options, **variables: start_program(
        "java", *options, "-cp", java_classes, "Held", **variables
    )


@pytest.fixture
def start_node(start_program) -> Callable[..., Program]:
    file = str(PROGRAMS / "held.js")
    return lambda *options, **variables: start_program("node", *options, file, **variables)


@pytest.fixture(scope="session")
def go_program(tmp_path_factory) -> str:
    if not shutil.which("go"):
        pytest.skip("go is needed: apt install golang-go")
    folder = tmp_path_factory.mktemp("go")
    command = ["go", "build", "-o", str(folder / "held"), str(PROGRAMS / "held.go")]
    # One for all processes of the tests, which may build at the same time.
    cache = tmp_path_factory.getbasetemp().parent / "go-cache"
    subprocess.run(command, check=True, env={**os.environ, "GOCACHE": str(cache)})
    return str(folder / "held")


@pytest.fixture(scope="session")
def bystander() -> Iterator[Child]:
    """A child for tests that need some target and do nothing to it."""
    child = Child("", [])
    yield child
    child.end()


@pytest.fixture
def start_child() -> Iterator[Callable[..., Child]]:
    children: list[Child] = []

    def start(prepare: str = "", prefix: tuple[str, ...] = ()) -> Child:
        children.append(Child(prepare, list(prefix)))
        return children[-1]

    yield start
    for child in children:
        child.end()


@pytest.fixture
def start_elsewhere(start_child) -> Callable[[str], Child]:
    """Start a child in a network namespace of its own; skip where that is not allowed."""

    def start(prepare: str = "") -> Child:
        unshare = shutil.which("unshare")
        if not unshare or subprocess.run([unshare, "-n", "true"], check=False).returncode:
            pytest.skip("making a network namespace is not permitted here")
        return start_child(prepare, (unshare, "-n"))

    return start


@pytest.fixture
def run_there() -> Callable[[int, str], None]:
    """Run a shell's line in the network namespace of a process; skip where its program is not."""

    def run(pid: int, line: str) -> None:
        enter, program = shutil.which("nsenter"), line.split(maxsplit=1)[0]
        if not enter or not shutil.which(program):
            pytest.skip(f"nsenter and {program} are needed")
        command = [enter, f"--net=/proc/{pid}/ns/net", "sh", "-ec", line]
        subprocess.run(command, check=True, capture_output=True)

    return run


@pytest.fixture
def as_nobody() -> Callable[..., object]:
    """Run something with the rights of nobody; the real ones are kept to come back."""

    def run(what: Callable[[], object]) -> object:
        os.setegid(65534)
        os.seteuid(65534)
        try:
            return what()
        finally:
            os.seteuid(0)
            os.setegid(0)

    return run


def view_of(*pids: int, started_at: float = 1.0, proc: str = "/proc") -> TargetView:
    stats = {pid: read_stat(pid, proc) for pid in pids}
    return TargetView(
        name="child",
        started_at=started_at,
        stats={pid: stat for pid, stat in stats.items() if stat is not None},
        proc=proc,
    )


@pytest.fixture
def view() -> Callable[..., TargetView]:
    return view_of


def _poll(condition: Callable[[], object], within_s: float = 30.0) -> object:
    deadline_s = time.monotonic() + within_s
    while not (result := condition()):
        if time.monotonic() > deadline_s:
            raise TimeoutError("did not come about in time")
        time.sleep(0.02)
    return result


@pytest.fixture
def wait_until() -> Callable[..., object]:
    return _poll


@pytest.fixture
def listeners() -> Iterator[TargetListeners]:
    listeners = TargetListeners()
    yield listeners
    listeners.close()


@pytest.fixture
def write_file(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file of a made-up /proc or /sys below tmp_path."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def made_up_proc(write_file: Callable[[str, str], Path], tmp_path: Path) -> str:
    """A made-up /proc below tmp_path, with a process 7 in our network namespace."""
    write_file("7/stat", "7 (n) S 1 " + "0 " * 40)
    ours = write_file("self/net/tcp", "")
    (tmp_path / "7/net").mkdir()
    (tmp_path / "7/net/tcp").hardlink_to(ours)
    return str(tmp_path)


@pytest.fixture
def v2_cgroups(write_file: Callable[[str, str], Path], tmp_path: Path) -> TargetView:
    """A process in the version 2 cgroup /a/b, whose files are below tmp_path/mnt."""
    (tmp_path / "mnt/a/b").mkdir(parents=True)
    write_file("7/stat", "7 (n) S 1 " + "0 " * 40)
    write_file("7/cgroup", "0::/a/b\n")
    write_file("self/mountinfo", f"1 1 0:1 / {tmp_path}/mnt rw - cgroup2 cgroup2 rw\n")
    return view_of(7, proc=str(tmp_path))


@pytest.fixture
def v1_cgroup() -> Iterator[Callable[[str, Child], Path]]:
    """Put a child into a new version 1 cgroup of a controller; skip where that is not allowed."""
    made: list[tuple[Path, Child]] = []

    def make(controller: str, child: Child) -> Path:
        group = Path(f"/sys/fs/cgroup/{controller}/capacity-test-{child.pid}")
        try:
            group.mkdir()
        except OSError as error:
            pytest.skip(f"no version 1 cgroup of {controller} can be made here: {error}")
        made.append((group, child))
        (group / "cgroup.procs").write_text(str(child.pid))
        return group

    yield make
    for group, child in made:
        child.end()
        _poll(lambda group=group: not (group / "cgroup.procs").read_text().strip())
        group.rmdir()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Certificate:
    if not shutil.which("openssl"):
        pytest.skip("openssl is needed to make a certificate")
    return Certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def start_agent() -> Iterator[Callable[..., Agent]]:
    agents: list[Agent] = []

    def start(*arguments: object, command: tuple[str, ...] = ()) -> Agent:
        command = command or (sys.executable, "-m", "capacity.monitor")
        agents.append(Agent(arguments, command))
        return agents[-1]

    yield start
    for agent in agents:
        agent.end(signal.SIGKILL)
