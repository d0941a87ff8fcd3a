"""`capacity audit`: every limit of a target as it stands, and which of them changed since a run."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from capacity.cli.helping.completion import names
from capacity.cli.plan import located
from capacity.domain import units
from capacity.domain.errors import ChangedError, ConfigError, PreflightError
from capacity.domain.sample import AgentInfo
from capacity.domain.words import printable
from capacity.loadgen.checks.preflight import latest_reading
from capacity.monitor.audit_table import audit_table
from capacity.planning.evidence.identity.same_service import other_process
from capacity.planning.evidence.limit_changes import LimitChange, limit_changes
from capacity.recording import run_directory
from capacity.settings.locate import find
from capacity.settings.target import load_target
from capacity.sources.border import UnreadableError, read_info
from capacity.sources.source_of_target import open_source


@click.command("audit")
@click.argument("target", shell_complete=names("targets"))
@click.option(
    "--against",
    help="A run, or a file that `capacity agent --audit --json` wrote: print what changed since.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(*, target: str, against: str | None, as_json: bool) -> None:
    """Print every limit of TARGET, a name under config/targets or a file; exit 11 on a change, 3 at another process."""
    before = None if against is None else _recorded(against)
    described = load_target(find("targets", target))
    source = open_source(described)
    if source is None:
        raise ConfigError(
            f"{printable(target)}: names no agent, so that nothing reads its limits; start `capacity"
            " agent` on its host and name it as agent.url"
        )
    try:
        info, sample = source.info(), latest_reading(source)
    finally:
        source.close()
    if before is None:
        click.echo(json.dumps(asdict(info)) if as_json else audit_table(info, sample), nl=as_json)
        return
    if (other := other_process(before, info, described.port)) is not None:
        raise PreflightError(
            f"{other}. Its limits are not compared with those of {printable(against)}; start the agent"
            f" with --port {described.port} or --pid of the process that is meant, or name another run"
        )
    changes = limit_changes(before, info)
    if as_json:
        click.echo(json.dumps({"changes": [_document(change) for change in changes]}))
    for change in () if as_json else changes:
        click.echo(f"{change.statement} ({change.source})")
    if changes:
        raise ChangedError(
            f"{units.counted(len(changes), 'limit')} changed since {printable(against)}; plan from a"
            " new run, or set them back"
        )
    click.echo(f"none of {units.counted(len(info.audit), 'limit')} changed", err=True)


def _recorded(against: str) -> AgentInfo:
    """Return what was read then. Raises ConfigError."""
    path = Path(against)
    if path.is_file():
        try:
            return read_info(path.read_bytes())
        except UnreadableError as error:
            raise ConfigError(
                f"{printable(against)}: {error}; give what `capacity agent --audit --json` prints, or"
                " a run"
            ) from None
        except OSError as error:
            raise ConfigError(f"{printable(against)}: cannot be read ({error.strerror})") from None
    agent = run_directory.load(located(against)).manifest.agent
    if agent is None or not agent.audit:
        raise ConfigError(
            f"{printable(against)}: no limits were recorded; measure with `capacity agent`"
        )
    return agent


def _document(change: LimitChange) -> dict[str, object]:
    return {
        "name": change.name,
        "before": None if change.before is None else asdict(change.before),
        "after": None if change.after is None else asdict(change.after),
    }
