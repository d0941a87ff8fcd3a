"""Children are real processes here: small scripts that do what a child may do."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from capacity.cli.running import children
from capacity.cli.running.children import Child, running, terminations_unwind
from capacity.domain.errors import ConfigError, PreflightError

SLEEP = "import time; print('up at noon', flush=True); time.sleep(60)"
STUBBORN = "import signal; [signal.signal(n, signal.SIG_IGN) for n in (2, 15)];" + SLEEP
PARENT = (
    "import subprocess, sys;"
    "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print('up', other.pid, flush=True); other.wait()"
)


@pytest.fixture(name="start")
def fixture_start(tmp_path):
    """Start a Python script as a child; none outlives the test."""
    with contextlib.ExitStack() as stack:

        def start(script, **options):
            child = Child("sleeper", ["-c", script], tmp_path / "logs" / "child.log", **options)
            stack.callback(child.stop, signal.SIGKILL)
            return child

        yield start


def is_alive(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def is_gone_soon(pid):
    deadline_s = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return not is_alive(pid)


def test_the_word_after_the_marker_is_what_a_child_says_when_it_is_ready(start):
    child = start(SLEEP)

    assert child.wait_ready("up at ") == "noon"
    assert child.is_running


def test_a_child_that_ends_before_it_is_ready_is_quoted(start):
    child = start("import sys; sys.exit('capacity: no room here')")

    with pytest.raises(PreflightError, match="the sleeper did not start: no room here") as caught:
        child.wait_ready("up at ")
    assert str(child.log) in str(caught.value)


def test_a_child_that_is_never_ready_is_given_up(start, monkeypatch):
    monkeypatch.setattr(children, "READY_TIMEOUT_S", 0.3)
    child = start("import time; time.sleep(60)")

    with pytest.raises(PreflightError, match="the sleeper did not start: it said nothing"):
        child.wait_ready("up at ")


def test_the_environment_is_ours_with_additions(start):
    child = start(
        "import os; print('up', os.environ['HOME'], os.environ['MARK'])", environment={"MARK": "m"}
    )

    assert child.wait_ready("up ") == os.environ["HOME"]
    assert child.last_words().endswith(" m")


def test_stopping_begins_with_the_signal_that_is_asked_for(start):
    child = start(SLEEP)
    child.wait_ready("up at ")
    child.stop(signal.SIGINT)

    assert child.process.returncode in {-signal.SIGINT, 1}
    assert child.last_words() == "KeyboardInterrupt"


def test_a_child_that_ignores_every_request_is_killed(start, monkeypatch):
    monkeypatch.setattr(children, "PATIENCE_S", 0.2)
    child = start(STUBBORN)
    child.wait_ready("up at ")
    child.stop(signal.SIGINT)

    assert child.process.returncode == -signal.SIGKILL


def test_what_a_child_started_ends_with_it(start):
    child = start(PARENT)
    grandchild = int(child.wait_ready("up "))
    assert is_alive(grandchild)
    child.stop()

    assert is_gone_soon(grandchild)


def test_a_second_ctrl_c_ends_the_patience_and_the_child(start):
    child = start(STUBBORN)
    child.wait_ready("up at ")
    with pytest.raises(KeyboardInterrupt):
        interrupted_after(0.2, child.stop)

    assert is_gone_soon(child.process.pid)


def interrupted_after(delay_s, call):
    def interrupt(_number, _frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, delay_s)
    try:
        call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_block_stops_its_child_however_it_is_left(tmp_path):
    with pytest.raises(KeyError), running("sleeper", ["-c", SLEEP], tmp_path / "log") as child:
        raise KeyError

    assert not child.is_running


def test_a_child_ends_with_a_parent_that_is_killed(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from capacity.cli.running.children import Child;"
        f"child = Child('sleeper', ['-c', {SLEEP!r}], Path({str(tmp_path / 'log')!r}));"
        "child.wait_ready('up at '); print(child.process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.kill()
    parent.communicate()

    assert is_gone_soon(child)


def test_a_log_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match=r"file/log: cannot be written \(File exists\)"):
        Child("sleeper", ["-c", SLEEP], tmp_path / "file" / "log")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_termination_unwinds_with_the_exit_code_of_the_shell(number):
    under_nohup = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit) as ended, terminations_unwind():
            signal.raise_signal(number)

        assert ended.value.code == 128 + number
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, under_nohup)


def test_under_nohup_a_closed_terminal_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with terminations_unwind():
            signal.raise_signal(signal.SIGHUP)

            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
