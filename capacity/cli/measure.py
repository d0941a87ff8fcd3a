"""`capacity measure`: drives Locust headless through a profile and records the run."""

import json
import re
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from capacity.cli.helping.named_options import PROFILE, TARGET, run_options
from capacity.cli.running.children import Child, terminations_unwind
from capacity.cli.running.locust_command import (
    DEFAULT_ADDRESS,
    MasterAddress,
    check_port,
    locust_argv,
    master_address,
)
from capacity.cli.running.progress import watch
from capacity.domain.errors import (
    CapacityError,
    ConfigError,
    GuardError,
    PreflightError,
    RunInvalidError,
    UnreachableError,
)
from capacity.domain.run import RunRecord
from capacity.domain.units import counted
from capacity.domain.words import LONGEST_SENTENCE, printable
from capacity.loadgen.checks.preflight import check
from capacity.loadgen.master.steps.limit_search import trials_to_resume
from capacity.loadgen.run_path import new_run_path
from capacity.recording.ending import forget_ending, read_ending
from capacity.recording.lock import locked
from capacity.recording.lock_place import place_of_locks
from capacity.recording.run_directory import is_run, load
from capacity.settings.locate import find
from capacity.settings.profile import Profile, load_profile
from capacity.settings.target import Target, load_target

_ERRORS: dict[int, type[CapacityError]] = {
    error.exit_code: error
    for error in (ConfigError, PreflightError, UnreachableError, RunInvalidError, GuardError)
}

_LOGGED_ERROR = re.compile(r"^\[[^]]*\] \S+/ERROR/\S+: (.+)$", re.MULTILINE)
_PROBE_BYTES = 4096


@click.command("measure")
@TARGET
@PROFILE
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Worker processes to start on this machine.  [default: 1]",
)
@click.option(
    "--expect-workers",
    type=click.IntRange(1, 1000),
    help="Start no local workers; wait for N remote ones: config/deploy/README.md.",
)
@click.option(
    "--bind",
    metavar="ADDRESS[:PORT]",
    help="Address on which to listen for remote workers (unauthenticated: firewall it).  "
    f"[default: {DEFAULT_ADDRESS.address}:{DEFAULT_ADDRESS.port}]",
)
@run_options
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the run as one JSON document.")
def command(
    *,
    target: str,
    profile: str,
    workers: int | None,
    expect_workers: int | None,
    bind: str | None,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Run a load profile against a target and record it; prints the run directory."""
    if workers is not None and expect_workers is not None:
        raise ConfigError(
            "--workers starts local workers, --expect-workers waits for remote ones; use one of them"
        )
    if bind is not None and expect_workers is None:
        raise ConfigError("--bind is for remote workers; set their number with --expect-workers")
    master = None if expect_workers is None else master_address(bind)
    path = measure(
        find("targets", target),
        find("profiles", profile),
        workers=expect_workers or workers or 1,
        master=master,
        quiet=quiet,
        **options,
    )
    click.echo(json.dumps({"run": str(path)}, indent=2) if as_json else path)


def measure(
    target: Path,
    profile: Path,
    *,
    workers: int,
    master: MasterAddress | None = None,
    run: Path | None = None,
    resume: Path | None = None,
    timeout_s: float | None = None,
    quiet: bool = False,
    **options: str,
) -> Path:
    """Return the directory of a finished run, with *workers* of this machine, or remote ones at *master*.

    *run*, *resume* and *options* are those of loadgen/run_options.py.

    No other run of this user and host loads the target meanwhile. Raises LockedError where somebody
    does, and CapacityError when the run cannot begin, or ended before its profile was through; what
    was recorded until then stays, and `capacity plan` tells what follows from it.
    """
    target_settings, profile_settings = load_target(target), load_profile(profile)
    run = run or new_run_path(target_settings.name, profile_settings.name)
    if is_run(run):
        raise PreflightError(
            f"{run}: already holds a run, and runs are never overwritten; choose another directory"
        )
    if resume is not None:
        trials_to_resume(resume, target_settings, profile_settings)
    address = f"{target_settings.host}:{target_settings.port}"
    with locked(place_of_locks(), address, run=run.name):
        _check(target_settings, profile_settings, workers=workers if master is None else ())
        console = Console(stderr=True, quiet=quiet)
        console.print(
            f"Measuring {target_settings.name} with profile {profile_settings.name};"
            f" recording to {run}",
            soft_wrap=True,
            markup=False,
        )
        if master is not None:
            check_port(master)
            console.print(
                f"Waiting for {counted(workers, 'worker')} on {master.address} port {master.port}",
                soft_wrap=True,
                markup=False,
            )
        options_given = {**options, "run": run, "resume": resume}
        argv = locust_argv(target, profile, workers, master, options_given)
        _drive(argv, run, timeout_s, console)
    return run


def _check(target: Target, profile: Profile, *, workers: int | tuple[()]) -> None:
    """Raise what the preflight raises; workers of other hosts are asked when they have come."""
    found = check(target, profile, workers=workers)
    if found.agent is not None:
        found.agent.close()  # The load generator opens it anew.


def _drive(argv: list[str], run: Path, timeout_s: float | None, console: Console) -> None:
    """Run the load generator to its end, and raise unless that is a finished run."""
    forget_ending(run)
    started_s = time.monotonic()
    with terminations_unwind():
        child = Child("load generator", argv, run / "locust.log")
        is_stopped = True
        try:
            watch(
                run,
                lambda: (
                    child.is_running
                    and (timeout_s is None or time.monotonic() - started_s < timeout_s)
                ),
                console,
            )
            timed_out, is_stopped = child.is_running, False
        finally:
            # SIGINT is how Locust is asked to stop: it closes the record on the way out.
            try:
                child.stop(signal.SIGINT)
            finally:  # Also when a second Ctrl-C ends its patience.
                if is_stopped and is_run(run):
                    told = f"stopped; what was recorded is kept: capacity plan {run}"
                    console.print(told, soft_wrap=True, markup=False)
    if timed_out:
        raise GuardError(
            f"{run}: stopped after {timeout_s:.0f} s, its time limit; what was recorded is kept"
        )
    _raise_unless_finished(run, child)


def _raise_unless_finished(run: Path, child: Child) -> None:
    if not is_run(run):
        raise _why_not_begun(run, child)
    record = load(run)
    end = _end_of(record)
    if end is None:
        code = child.process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else "exited early"
        if code >= 0 and (full := _unwritable(run)) is not None:
            how = f"could write nothing more there ({full}; make room, and measure again)"
        raise RunInvalidError(
            f"{run}: the load generator {how} and left its record unfinished; "
            f"{counted(len(record.steps), 'finished step')} kept (log: {child.log});"
            " capacity plan tells what follows from them"
        )
    kind, reason, exit_code = end
    if kind == "aborted":
        raise _ERRORS.get(exit_code, RunInvalidError)(f"{run}: {reason}")
    loaded = [step for step in record.steps if step.connections_peak]
    if loaded and all(step.void is not None for step in loaded):
        raise RunInvalidError(
            f"{run}: every step with connections is void, so there is nothing to plan from; the last one: "
            f"{loaded[-1].void}"
        )
    if reason:
        print(printable(reason, LONGEST_SENTENCE), file=sys.stderr)  # noqa: T201 - progress goes to stderr


def _why_not_begun(run: Path, child: Child) -> CapacityError:
    ending = read_ending(run)
    if ending is not None:
        return _ERRORS.get(ending.exit_code, CapacityError)(ending.reason)
    if not child.log.exists():
        return RunInvalidError(
            f"{run}: it was removed while the load generator wrote there; measure again, in a directory that is kept"
        )
    code = child.process.returncode
    if code < 0:
        return RunInvalidError(
            f"the load generator was killed by {signal.Signals(-code).name} before its first"
            f" connection (log: {child.log}); nothing was recorded, start it again"
        )
    # Where there was no room to say it, the exit code is still that of the error.
    return _ERRORS.get(code, CapacityError)(
        f"the load generator exited before its first connection: {_last_error(run, child)}"
        f" (log: {child.log})"
    )


def _last_error(run: Path, child: Child) -> str:
    """Return what the log says went wrong, or that nothing can be written there, or its last line."""
    errors = _LOGGED_ERROR.findall(child.log.read_text(encoding="utf-8", errors="replace"))
    if errors:
        return str(errors[-1])
    if (full := _unwritable(run)) is not None:
        return f"{run}: nothing can be written there ({full}); make room, or name another directory"
    return child.last_words()


def _unwritable(run: Path) -> str | None:
    """Return why nothing can be written in *run*; None where something can."""
    try:
        with tempfile.TemporaryFile(dir=run) as file:
            file.write(bytes(_PROBE_BYTES))
    except OSError as error:
        return error.strerror
    return None


def _end_of(record: RunRecord) -> tuple[str, str, int] | None:
    for event in reversed(record.events):
        if event.kind in {"finished", "aborted"}:
            detail = event.detail
            return event.kind, str(detail.get("reason", "")), int(detail.get("exit_code", 0))
    return None
