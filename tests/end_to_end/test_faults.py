"""What goes wrong for an operator: one sentence, what to do, the documented exit code, no process left.

Real commands, real targets, real signals. Bad input first, then processes that end mid-run.
"""

import contextlib
import dataclasses
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from capacity.recording.run_directory import is_run, load

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

CAPACITY = [sys.executable, "-m", "capacity.cli.main"]
GONE_WITHIN_S = 15.0
PATIENCE_S = 90.0
"""For a command to do what it has to do before it ends, on a busy machine."""
TARGET = {
    "target": 1,
    "name": "here",
    "host": "127.0.0.1",
    "port": 1,
    "dialect": "deribit",
    "symbols": ["BTC-PERPETUAL", "ETH-PERPETUAL"],
    "channels": ["ticker"],
    "rest": {"operation": "ticker"},
}
PROFILE = {
    "profile": 1,
    "name": "short",
    "kind": "ramp",
    "levels": [20, 40],
    "connects_per_s": 100,
    "settle_s": 0.2,
    "plateau_s": 1,
    "ramp_timeout_s": 3,
    "mix": {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0.05},
}
SAFE = {key: value for key, value in PROFILE.items() if key != "levels"} | {
    "kind": "safe",
    "levels": 2,
}
JOB = {"job": 1, "name": "nightly", "target": "demo", "profile": "quick"}


@dataclasses.dataclass
class Started:
    """A command of ours and, by a mark in their environment, every process that came of it."""

    process: subprocess.Popen
    mark: str
    out: Path
    err: Path

    def wait(self, timeout_s=PATIENCE_S):
        return self.process.wait(timeout_s)

    @property
    def said(self):
        return self.err.read_text(encoding="utf-8")

    @property
    def pids(self):
        return [pid for pid in numeric_names("/proc") if self._is_ours(pid)]

    def pid_of(self, *words):
        """Return the process with all *words* on its command line that was started first."""
        ours = (pid for pid in self.pids if all(word in command_line(pid) for word in words))
        return min(ours, key=started_ticks)  # Not the lowest: numbers begin anew.

    def wait_until_gone(self):
        deadline_s = time.monotonic() + GONE_WITHIN_S
        while self.pids and time.monotonic() < deadline_s:
            time.sleep(0.1)
        return [command_line(pid) for pid in self.pids]

    def _is_ours(self, pid):
        with contextlib.suppress(OSError):
            is_ours = self.mark.encode() in Path(f"/proc/{pid}/environ").read_bytes()
            return is_ours and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
        return False


def numeric_names(folder):
    return [int(path.name) for path in Path(folder).iterdir() if path.name.isdecimal()]


def started_ticks(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def command_line(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


@pytest.fixture(name="start", scope="module")
def fixture_start(tmp_path_factory):
    """Start a command in a folder of its own; whatever is left of it at the end is killed."""
    started = []

    def start(*arguments, cwd=None, **options):
        mark = uuid.uuid4().hex
        folder = tmp_path_factory.mktemp("command")
        out, err = folder / "out", folder / "err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                [*CAPACITY, *map(str, arguments)],
                cwd=cwd or folder,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env={**os.environ, "CAPACITY_TEST_MARK": mark},
                **options,
            )
        started.append(Started(process, mark, out, err))
        return started[-1]

    yield start
    for command in started:
        for pid in command.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        command.process.wait()


def ready(command, word):
    """Return the address that a server says it is ready on."""
    eventually(lambda: f"{word} ready on " in command.said, "the server is ready")
    return command.said.split(f"{word} ready on ")[1].split()[0]


def eventually(is_so, what, timeout_s=60.0):
    deadline_s = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"not within {timeout_s} s: {what}")
        time.sleep(0.05)


def written(path, settings):
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    return path


def started_target(start):
    """Start an exchange with its agent; return both and the target's settings."""
    exchange = start("exchange", "--port", "0", "--descriptor-limit", "400")
    address = ready(exchange, "exchange")
    agent = start("agent", "--pid", exchange.process.pid, "--listen", "0")
    settings = TARGET | {
        "port": int(address.rpartition(":")[2]),
        "agent": {"url": ready(agent, "agent")},
    }
    return exchange, agent, settings


@pytest.fixture(name="target_settings", scope="module")
def fixture_target_settings(start):
    """The settings of a target that lives through all tests that do it no harm."""
    return started_target(start)[2]


def refusal(start, *arguments, **options):
    """Return exit code and message of a command that cannot begin, once it has left nothing."""
    command = start(*arguments, **options)
    code = command.wait()

    assert "Traceback" not in command.said
    assert command.wait_until_gone() == []
    return code, command.said


def is_one_sentence(said):
    return said.startswith("capacity: ") and said.count("\n") == 1


# Files ------------------------------------------------------------------------------------------

DIALECT = yaml.safe_load((Path(__file__).parents[2] / "config/dialects/json-push.yaml").read_text())


@pytest.mark.parametrize(
    ("kind", "settings", "line", "said"),
    [
        ("target", TARGET | {"prot": 8080}, "prot: 8080", "prot: unknown key; did you mean port?"),
        ("target", TARGET | {"port": "8080"}, "port: '8080'", "port: must be a whole number"),
        ("target", TARGET | {"port": 0}, "port: 0", "port: must be greater than or equal to 1"),
        ("target", TARGET | {"dialect": "derbit"}, "dialect: derbit", "did you mean deribit?"),
        ("target", TARGET | {"channels": ["tickers"]}, "- tickers", "deribit has no channel"),
        ("target", TARGET | {"agent": {"url": "ftp://x"}}, "url: ftp://x", "agent.url: must be"),
        ("profile", PROFILE | {"plateaus_s": 2}, "plateaus_s: 2", "did you mean plateau_s?"),
        ("profile", PROFILE | {"settle_s": "long"}, "settle_s: long", "must be a number"),
        ("profile", PROFILE | {"kind": "rampe"}, "kind: rampe", "must be one of"),
        ("profile", PROFILE | {"levels": [40, 20]}, "- 20", "must be higher than the level before"),
        (
            "profile",
            SAFE | {"fraction": 0.9},
            "fraction: 0.9",
            "must be less than or equal to 0.25",
        ),
        ("dialect", DIALECT | {"date": {}}, "date: {}", "date: unknown key; did you mean data?"),
        ("dialect", DIALECT | {"sequence": 5}, "sequence: 5", "sequence: must be a list"),
        (
            "dialect",
            DIALECT | {"time": {"path": "ts", "unit": "h"}},
            "unit: h",
            "time.unit: must be",
        ),
        ("job", JOB | {"worker": 2}, "worker: 2", "worker: unknown key; did you mean workers?"),
        ("job", JOB | {"workers": 0}, "workers: 0", "workers: must be greater than or equal to 1"),
        ("job", JOB | {"target": "nope"}, "target: nope", "target: config/targets has no 'nope'"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_file_line_and_key(
    start, tmp_path, kind, settings, line, said
):
    wrong = written(tmp_path / "wrong.yaml", settings)
    target = wrong
    if kind == "dialect":
        target = written(tmp_path / "target.yaml", TARGET | {"dialect": str(wrong)})
    commands = {
        "target": ("measure", "--target", target),
        "dialect": ("measure", "--target", target),
        "profile": ("measure", "--target", "demo", "--profile", wrong),
        "job": ("scheduled", wrong),
    }
    code, message = refusal(start, *commands[kind])
    lines = [text.strip() for text in wrong.read_text().splitlines()]

    assert code == 2
    assert is_one_sentence(message)
    assert f"{wrong}:{lines.index(line) + 1}: " in message
    assert said in message


@pytest.mark.parametrize(
    "arguments",
    [
        ("measure", "--target", "nope"),
        ("measure", "--target", "nope.yaml"),
        ("measure", "--target", "demo", "--profile", "nope"),
        ("demo", "--profile", "nope"),
        ("scheduled", "nope"),
        ("plan", "nope"),
        ("report", "nope"),
    ],
)
def test_what_does_not_exist_is_named_and_nothing_begins(start, tmp_path, arguments):
    code, message = refusal(start, *arguments, cwd=tmp_path)

    assert code == 2
    assert is_one_sentence(message)
    assert "nope" in message
    assert list(tmp_path.iterdir()) == []


# Targets and machines ---------------------------------------------------------------------------


@pytest.fixture(name="dead_port")
def fixture_dead_port():
    """A port where nothing listens, and nothing else will while the test runs."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


@pytest.fixture(name="http_port")
def fixture_http_port():
    """The port of a server that knows pages and no WebSocket."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_target_that_is_down_is_said_with_its_address(start, tmp_path, dead_port):
    target = written(tmp_path / "target.yaml", TARGET | {"port": dead_port})
    code, message = refusal(start, "measure", "--target", target)

    assert code == 4
    assert is_one_sentence(message)
    assert f"127.0.0.1:{dead_port}" in message
    assert "start the target" in message


def test_a_target_that_is_plain_http_is_told_from_one_that_is_down(start, tmp_path, http_port):
    target = written(tmp_path / "target.yaml", TARGET | {"port": http_port})
    code, message = refusal(start, "measure", "--target", target)

    assert code == 4
    assert is_one_sentence(message)
    assert "no WebSocket there" in message
    assert "501" in message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dialect": "json-push", "channels": ["updates"], "rest": None}, "dialect"),
        ({"symbols": ["NO-SUCH"]}, "correct channels and symbols"),
        ({"agent": {"url": "http://127.0.0.1:9"}}, "capacity agent --port"),
        ({"tls": True}, "tls"),
    ],
)
def test_a_target_file_that_does_not_fit_its_target_is_found_before_the_run(
    start, tmp_path, target_settings, changes, said
):
    target = written(tmp_path / "target.yaml", target_settings | changes)
    code, message = refusal(start, "measure", "--target", target, cwd=tmp_path)

    assert code == 4
    assert is_one_sentence(message)
    assert said in message
    assert not (tmp_path / "reports").exists(), "nothing is left"


@pytest.mark.parametrize("given", ["wrong", None])
def test_an_agent_that_refuses_the_token_is_told_from_one_that_is_away(
    start, tmp_path, target_settings, given
):
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    for path in (right, wrong):
        path.write_text(path.name * 8)
        path.chmod(0o600)
    agent = start("agent", "--pid", os.getpid(), "--listen", "0", "--token-file", right)
    settings = {"url": ready(agent, "agent")}
    if given:
        settings["token_file"] = str(wrong)
    target = written(tmp_path / "target.yaml", target_settings | {"agent": settings})
    code, message = refusal(start, "measure", "--target", target)

    assert code == 4
    assert is_one_sentence(message)
    assert "refuses the token" in message
    assert "agent.token_file" in message


@pytest.mark.parametrize(
    "arguments",
    [("exchange", "--port"), ("agent", "--pid", str(os.getpid()), "--listen")],
    ids=["exchange", "agent"],
)
def test_a_busy_port_is_said_with_the_option_that_changes_it(start, http_port, arguments):
    code, message = refusal(start, *arguments, http_port)

    assert code == 3
    assert message.count("\n") == 1
    assert re.match(rf"capacity.*{http_port}: Address already in use; choose another", message)
    assert arguments[-1] in message


def test_too_few_descriptors_are_said_with_the_workers_that_would_do(
    start, tmp_path, target_settings
):
    target = written(tmp_path / "target.yaml", target_settings)
    profile = written(tmp_path / "profile.yaml", PROFILE)
    few = (130, 130)
    code, message = refusal(
        start,
        *("measure", "--target", target, "--profile", profile),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few),
    )

    assert code == 3
    assert is_one_sentence(message)
    assert "use --workers 2" in message


def test_a_run_is_never_overwritten(start, tmp_path):
    (tmp_path / "run.json").write_text("{}")
    code, message = refusal(start, "measure", "--target", "demo", "--run", tmp_path)

    assert code == 3
    assert is_one_sentence(message)
    assert "choose another directory" in message
    assert (tmp_path / "run.json").read_text() == "{}"


def test_a_run_that_cannot_be_written_is_said_before_any_load(start, tmp_path, target_settings):
    target = written(tmp_path / "target.yaml", target_settings)
    blocked = tmp_path / "target.yaml" / "run"
    command = start("measure", "--target", target, "--run", blocked)

    assert command.wait() == 2
    assert is_one_sentence(command.said.partition("\n")[2])
    assert str(blocked) in command.said


# Mid-run ----------------------------------------------------------------------------------------


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
