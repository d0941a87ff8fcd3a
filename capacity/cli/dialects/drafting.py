"""`capacity dialect init`: a dialect and a target file, drafted from what was recorded."""

import re
from collections.abc import Iterator
from pathlib import Path

import click

from capacity.cli.dialects.live_conversation import write_new
from capacity.cli.dialects.recordings import load_session
from capacity.cli.dialects.shown import summary
from capacity.domain.errors import ConfigError
from capacity.domain.units import counted
from capacity.settings.dialect import load_dialect
from capacity.workload.drafting.draft import drafted
from capacity.workload.drafting.replay import Replay
from capacity.workload.drafting.sections import Draft
from capacity.workload.drafting.yaml_text import block, flow


@click.command("init")
@click.argument("name")
@click.argument("recording", type=click.Path(path_type=Path))
@click.option(
    "--symbol", "symbols", multiple=True, help="Symbol in the recording, where it is guessed wrong."
)
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    default=Path("config"),
    show_default=True,
    help="Folder.",
)
def command(*, name: str, recording: Path, symbols: tuple[str, ...], into: Path) -> None:
    """Draft INTO/dialects/NAME.yaml and INTO/targets/NAME.yaml from RECORDING, and replay it."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", name):
        raise ConfigError(
            f"NAME must be 1 to 60 letters, digits, dots, dashes and underscores (got {name[:80]!a})"
        )
    session = load_session(recording)
    draft = drafted(session, name, symbols)
    dialect, target = into / "dialects" / f"{name}.yaml", into / "targets" / f"{name}.yaml"
    for path, kind, lines in (
        (dialect, "dialect", dialect_lines(draft, recording.name)),
        (target, "target", target_lines(draft, name, _named(into, name))),
    ):
        write_new(path, "\n".join((*_for_editors(into, kind), *lines)) + "\n")
    click.echo(dialect)
    click.echo(target)
    if session.left_out:
        more = counted(session.left_out, "further WebSocket")
        click.echo(f"{more} of the HAR file left out: the one with the most messages was taken")
    for section, doubt in draft.doubts.items():
        click.echo(f"look at {section}: {doubt}")
    for needed, origin in draft.needs.items():
        click.echo(
            f"set values.{needed} in the target file: it was in the {origin}, and is not written here"
        )
    replay = Replay(load_dialect(dialect), session.frames)
    for _ in replay.run():
        pass
    for line in summary(replay.counts):
        click.echo(line)
    click.echo(f"Next: capacity dialect try --target {target}", err=True)


def _for_editors(into: Path, kind: str) -> list[str]:
    """Return the line that names the schema of a file, where schemas are beside it."""
    file = f"{kind}.json"
    there = (into / "schemas" / file).is_file()
    return [f"# yaml-language-server: $schema=../schemas/{file}"] if there else []


def _named(into: Path, name: str) -> str:
    """Return how the target file names its dialect: names are looked up in ./config alone."""
    return name if into == Path("config") else f"../dialects/{name}.yaml"


def dialect_lines(draft: Draft, recording: str) -> Iterator[str]:
    """Yield the lines of the dialect file."""
    yield f"# Drafted from {recording}: a beginning. docs/dialects.md says how to go on, config/README.md"
    yield "# explains every key."
    for section, value in draft.sections.items():
        if section == "ws":
            yield ""
        if section in draft.doubts:
            yield f"# Look at this: {draft.doubts[section]}"
        yield from block(section, value)


def target_lines(draft: Draft, name: str, dialect: str) -> Iterator[str]:
    """Yield the lines of the target file."""
    host, port, tls = draft.origin
    yield "target: 1"
    yield f"name: {flow(name)}"
    yield f"host: {flow(host)}"
    yield f"port: {port}"
    if tls:
        yield "tls: true"
    yield f"dialect: {flow(dialect)}"
    if draft.symbols:
        yield f"symbols: {flow(draft.symbols)}"
    yield f"channels: {flow(list(draft.sections['channels']))}"
    if draft.needs:
        yield "values: # each a text, {file: PATH} or {env: NAME}"
        for needed in draft.needs:
            yield f"  {needed}: {{env: {needed.upper()}}}"
    if draft.sections.get("rest"):
        yield f"rest: {{operation: {flow(next(iter(draft.sections['rest'])))}}}"
    yield "# agent: {url: http://HOST:9101} # `capacity agent --port PORT` there; without it there is no plan"
