"""What goes wrong while a run is under way: processes that are stopped or die, a disk that is full.

Real commands, real targets, real signals: one sentence, the documented exit code, no process left.
"""

import dataclasses
import os
import re
import resource
import runpy
import signal
import time
from pathlib import Path

import pytest

from capacity.recording.run_directory import is_run, load

STARTED_COMMANDS = runpy.run_path(str(Path(__file__).with_name("started_commands.py")))
PATIENCE_S = STARTED_COMMANDS["PATIENCE_S"]
PROFILE = STARTED_COMMANDS["PROFILE"]
SAFE = STARTED_COMMANDS["SAFE"]
Started = STARTED_COMMANDS["Started"]
fixture_start = STARTED_COMMANDS["fixture_start"]
eventually = STARTED_COMMANDS["eventually"]
written = STARTED_COMMANDS["written"]
started_target = STARTED_COMMANDS["started_target"]
fixture_target_settings = STARTED_COMMANDS["fixture_target_settings"]
pytestmark = [pytest.mark.end_to_end, pytest.mark.long]


@dataclasses.dataclass
class Measuring:
    """A `capacity measure` on its way."""

    command: Started
    run: Path

    def wait_for(self, phase, index=0):
        wanted = f'"index":{index},"phase":"{phase}"'
        events = self.run / "events.jsonl"
        eventually(lambda: events.exists() and wanted in events.read_text(), wanted)

    @property
    def master(self):
        """The master's pid; its worker is forked from it, later."""
        return self.command.pid_of("-m locust")

    @property
    def workers(self):
        return [int(pid) for pid in children_of(self.master)]

    def end(self):
        """Return the exit code, once nothing of it is left and no traceback was shown."""
        code = self.command.wait(PATIENCE_S)

        assert self.command.wait_until_gone() == []
        assert "Traceback" not in self.command.said
        return code


def children_of(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


@pytest.fixture(name="measure")
def fixture_measure(start, tmp_path, target_settings):
    """Begin to measure the common target, or another one."""

    def measure(settings=target_settings, profile=PROFILE, **options):
        target = written(tmp_path / "target.yaml", settings)
        profile = written(tmp_path / "profile.yaml", profile)
        run = tmp_path / "run"
        command = start(
            *("measure", "--target", target, "--profile", profile, "--run", run), **options
        )
        return Measuring(command, run)

    return measure


def kinds(record):
    return [event.kind for event in record.events]


def answered(start, run):
    """Plan from *run*: a plan, or an excuse with its exit code, and never a traceback."""
    command = start("plan", run)
    code = command.wait()

    assert "Traceback" not in command.said
    assert code in {0, 5}
    return command.out.read_text()


@pytest.mark.parametrize(
    ("number", "code", "moment"),
    [
        (signal.SIGINT, 130, "start"),
        (signal.SIGINT, 130, "ramp"),
        (signal.SIGINT, 130, "plateau"),
        (signal.SIGTERM, 143, "start"),
        (signal.SIGTERM, 143, "plateau"),
    ],
)
def test_a_stopped_measurement_leaves_a_record_that_says_so(measure, number, code, moment):
    measuring = measure()
    if moment == "start":
        eventually((measuring.run / "locust.log").exists, "the load generator is started")
        time.sleep(0.5)
    else:
        measuring.wait_for(moment, index=1)
    measuring.command.process.send_signal(number)

    assert measuring.end() == code
    assert is_run(measuring.run) or moment == "start"
    if is_run(measuring.run):
        record = load(measuring.run)
        assert kinds(record)[-1] == "aborted"
        assert "aborted" in " ".join(record.missing)
        kept = f"stopped; what was recorded is kept: capacity plan {measuring.run}"
        assert kept in " ".join(measuring.command.said.split())


def test_an_impatient_ctrl_c_is_no_traceback_either(measure):
    measuring = measure()
    measuring.wait_for("ramp", index=1)
    for _ in range(3):
        measuring.command.process.send_signal(signal.SIGINT)
        time.sleep(0.3)

    assert measuring.end() == 130
    assert load(measuring.run).missing


@pytest.mark.parametrize(
    ("number", "code", "log"),
    [
        (signal.SIGINT, 130, "exchange.log"),
        (signal.SIGINT, 130, "agent.log"),
        (signal.SIGINT, 130, "events.jsonl"),
        (signal.SIGTERM, 143, "events.jsonl"),
    ],
)
def test_a_stopped_demo_takes_its_exchange_and_agent_along(start, tmp_path, number, code, log):
    profile = written(tmp_path / "profile.yaml", SAFE)
    command = start("demo", "--profile", profile, "--descriptor-limit", "400", cwd=tmp_path)
    eventually(lambda: list(tmp_path.glob(f"reports/runs/*/{log}")), f"{log} is there")
    command.process.send_signal(number)

    assert command.wait(PATIENCE_S) == code
    assert command.wait_until_gone() == []
    assert "Traceback" not in command.said
    [run] = tmp_path.glob("reports/runs/*")
    if is_run(run):
        assert kinds(load(run))[-1] == "aborted"


@pytest.mark.parametrize("log", ["locust.log", "events.jsonl"])
def test_a_killed_demo_leaves_no_process(start, tmp_path, log):
    profile = written(tmp_path / "profile.yaml", SAFE)
    command = start("demo", "--profile", profile, "--descriptor-limit", "400", cwd=tmp_path)
    eventually(lambda: list(tmp_path.glob(f"reports/runs/*/{log}")), f"{log} is there")
    time.sleep(1.2)  # The load generator forks its worker then.
    command.process.kill()

    assert command.wait() == -signal.SIGKILL
    assert command.wait_until_gone() == []


def test_a_killed_master_ends_the_command_and_keeps_the_finished_steps(start, measure):
    measuring = measure()
    measuring.wait_for("plateau", index=1)
    os.kill(measuring.master, signal.SIGKILL)

    assert measuring.end() == 5
    assert (
        "was killed by SIGKILL and left its record unfinished; 1 finished step"
        in measuring.command.said
    )
    assert len(load(measuring.run).steps) == 1
    assert "Inconclusive: no capacity could be derived" in answered(start, measuring.run)


def test_a_killed_worker_ends_the_command_and_keeps_the_finished_steps(start, measure):
    measuring = measure()
    measuring.wait_for("plateau", index=1)
    [worker] = measuring.workers
    os.kill(worker, signal.SIGKILL)

    assert measuring.end() == 5
    assert "worker" in measuring.command.said.splitlines()[-1]
    record = load(measuring.run)
    assert "worker_lost" in kinds(record)
    assert record.steps[0].void is None
    assert all("worker" in step.void for step in record.steps[1:])
    answered(start, measuring.run)


@pytest.mark.parametrize(("phase", "index"), [("ramp", 1), ("ramp", 2), ("plateau", 1)])
def test_a_target_that_dies_ends_the_run_as_lost_and_keeps_the_finished_steps(
    start, measure, phase, index
):
    exchange, _agent, settings = started_target(start)
    measuring = measure(settings)
    measuring.wait_for(phase, index=index)
    exchange.process.kill()

    assert measuring.end() == 4
    assert "target" in measuring.command.said.splitlines()[-1]
    record = load(measuring.run)
    assert kinds(record)[-1] == "aborted"
    assert [step.void for step in record.steps[:index]] == [None] * index
    assert answered(start, measuring.run)


def test_an_agent_that_dies_does_not_end_the_run(start, measure):
    _exchange, agent, settings = started_target(start)
    measuring = measure(settings, PROFILE | {"plateau_s": 2})
    measuring.wait_for("plateau", index=1)
    agent.process.kill()

    assert measuring.end() == 0
    record = load(measuring.run)
    assert kinds(record).count("agent_lost") == 1
    assert kinds(record)[-1] == "finished"
    assert len(record.steps) == 3
    assert answered(start, measuring.run)
    report = start("report", measuring.run, "--format", "md")
    assert report.wait() == 0
    told = (measuring.run / "report.md").read_text()
    assert "agent lost" in told
    assert re.search(r"\*\*Why:\*\* .*samples", told)


@pytest.mark.parametrize(
    ("most_bytes", "exit_code", "words"),
    [
        (6_000, 2, "cannot write the run (File too large)"),  # Of the manifest there are 25,000.
        (32_000, 5, "cannot be written any further (File too large)"),
    ],
)
def test_a_full_disk_ends_the_run_in_words(measure, most_bytes, exit_code, words):
    measuring = measure(
        profile=PROFILE | {"plateau_s": 60},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes)),
    )

    assert measuring.end() == exit_code
    assert words in measuring.command.said
