"""`capacity measure`: drives Locust headless through a profile and records the run."""

import signal
import socket
import sys
import time
from pathlib import Path

import click
from rich.console import Console

import capacity
from capacity.cli.children import Child, terminations_unwind
from capacity.cli.progress import watch
from capacity.domain.errors import (
    CapacityError,
    GuardError,
    PreflightError,
    RunInvalidError,
    UnreachableError,
)
from capacity.domain.run import RunRecord
from capacity.domain.units import counted
from capacity.loadgen.preflight import check
from capacity.loadgen.run_path import new_run_path
from capacity.recording.run_directory import is_run, load
from capacity.settings.locate import find
from capacity.settings.profile import load_profile
from capacity.settings.target import load_target

LOCUSTFILES = Path(capacity.__file__).parent.parent / "locustfiles"
WORKERS_TIMEOUT_S = 30
_ERRORS: dict[int, type[CapacityError]] = {
    error.exit_code: error for error in (UnreachableError, RunInvalidError, GuardError)
}


@click.command("measure")
@click.option("--target", required=True, help="A name under config/targets, or a file.")
@click.option("--profile", default="safe", show_default=True, help="Likewise, config/profiles.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
@click.option("--run", type=click.Path(path_type=Path), help="Directory of the run; must be new.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(target: str, profile: str, workers: int, run: Path | None, *, quiet: bool) -> None:
    """Load a target through a profile and record what it takes; prints the run's directory."""
    path = measure(
        find("targets", target),
        find("profiles", profile),
        workers=workers,
        run=run,
        quiet=quiet,
    )
    click.echo(path)


def measure(
    target: Path,
    profile: Path,
    *,
    workers: int,
    run: Path | None = None,
    timeout_s: float | None = None,
    quiet: bool = False,
) -> Path:
    """Return the directory of a finished run.

    Raises CapacityError when the run cannot begin, or ended before its profile was through; what
    was recorded until then stays and can be planned from.
    """
    target_settings, profile_settings = load_target(target), load_profile(profile)
    run = run or new_run_path(target_settings.name, profile_settings.name)
    if is_run(run):
        raise PreflightError(
            f"{run}: there is a run already and runs are never overwritten; name another directory"
        )
    check(target_settings, profile_settings, workers=workers)
    console = Console(stderr=True, quiet=quiet)
    console.print(
        f"Measuring {target_settings.name} with profile {profile_settings.name}; the record is {run}",
        soft_wrap=True,
        markup=False,
    )
    started_s = time.monotonic()
    with terminations_unwind():
        child = Child("load generator", _locust(target, profile, run, workers), run / "locust.log")
        try:
            watch(
                run,
                lambda: (
                    child.is_running
                    and (timeout_s is None or time.monotonic() - started_s < timeout_s)
                ),
                console,
            )
            timed_out = child.is_running
        finally:
            # SIGINT is how Locust is asked to stop: it closes the record on the way out.
            child.stop(signal.SIGINT)
    if timed_out:
        raise GuardError(
            f"{run}: stopped after {timeout_s:.0f} s, the longest it may take; what it has is kept"
        )
    _raise_unless_finished(run, child)
    return run


def _locust(target: Path, profile: Path, run: Path, workers: int) -> list[str]:
    # Two runs on one machine must not share Locust's default port: workers join any master there.
    port = str(_free_port())
    return [
        *("-m", "locust", "--headless", "--only-summary", "--loglevel", "WARNING"),
        *("--locustfile", str(LOCUSTFILES), "--processes", str(workers)),
        *("--master-bind-host", "127.0.0.1", "--master-bind-port", port),
        *("--master-host", "127.0.0.1", "--master-port", port),
        *("--expect-workers-max-wait", str(WORKERS_TIMEOUT_S)),
        *("--capacity-target", str(target), "--capacity-profile", str(profile)),
        *("--capacity-run", str(run)),
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _raise_unless_finished(run: Path, child: Child) -> None:
    if not is_run(run):
        raise CapacityError(
            f"the load generator ended before its first connection: {child.last_words()} "
            f"(log: {child.log})"
        )
    record = load(run)
    end = _end_of(record)
    if end is None:
        code = child.process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else "ended too early"
        raise RunInvalidError(
            f"{run}: the load generator {how} and left its record unfinished; "
            f"{counted(len(record.steps), 'finished step')} can be planned from (log: {child.log})"
        )
    kind, reason, exit_code = end
    if kind == "aborted":
        raise _ERRORS.get(exit_code, RunInvalidError)(f"{run}: {reason}")
    loaded = [step for step in record.steps if step.connections_peak]
    if loaded and all(step.void is not None for step in loaded):
        raise RunInvalidError(
            f"{run}: every step with connections is void, there is nothing to plan from; the last "
            f"because {loaded[-1].void}"
        )
    if reason:
        print(reason, file=sys.stderr)  # noqa: T201 - progress goes to stderr


def _end_of(record: RunRecord) -> tuple[str, str, int] | None:
    for event in reversed(record.events):
        if event.kind in {"finished", "aborted"}:
            detail = event.detail
            return event.kind, str(detail.get("reason", "")), int(detail.get("exit_code", 0))
    return None
