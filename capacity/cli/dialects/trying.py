"""`capacity dialect try`: one connection to a live server, each frame with what was made of it."""

from pathlib import Path

import click

from capacity.cli.dialects.live_conversation import FrameWatcher, target_at, write_recording
from capacity.cli.dialects.shown import MOST_FRAMES, summary
from capacity.cli.helping.completion import names
from capacity.cli.helping.named_options import whole_number
from capacity.domain.answers.finding import Status
from capacity.domain.errors import ConfigError, UnreachableError
from capacity.loadgen.checks.trial import try_conversation
from capacity.planning.safety.heard_updates import heard_findings
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.target import Target, load_target
from capacity.workload.dialects.address import websocket_url
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.values import needed_for


@click.command("try")
@click.argument("dialect", required=False)
@click.option(
    "--target",
    shell_complete=names("targets"),
    help="Name under config/targets, or a file; its dialect is tried.",
)
@click.option("--url", help="Server instead of a target file: ws://HOST:PORT or wss://HOST:PORT.")
@click.option(
    "--channel", "channels", multiple=True, help="With --url: logical channel; all by default."
)
@click.option("--symbol", "symbols", multiple=True, help="With --url: what {symbol} stands for.")
@whole_number(
    "--subscriptions",
    least=1,
    most=1000,
    default=2,
    help_text="Channels to subscribe to.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 3600),
    default=5.0,
    show_default=True,
    help="How long to listen.",
)
@click.option("--frames", "most", default=MOST_FRAMES, show_default=True, help="Frames to show.")
@click.option(
    "--record", type=click.Path(path_type=Path), help="Write the session there, for replay."
)
def command(
    *,
    dialect: str | None,
    target: str | None,
    url: str | None,
    channels: tuple[str, ...],
    symbols: tuple[str, ...],
    subscriptions: int,
    seconds: float,
    most: int,
    record: Path | None,
) -> None:
    """Speak DIALECT with one connection to --target or --url; exit code 4 where it is not understood."""
    settings, described = _who(dialect, target, url, channels, symbols)
    watcher = FrameWatcher(most)
    try:
        trial = try_conversation(
            settings, described, subscriptions=subscriptions, listen_s=seconds, watcher=watcher
        )
    finally:
        watcher.close()
        for line in summary(watcher.counts):
            click.echo(line)
        if record is not None:
            write_recording(record, watcher.frames, _address(settings, described))
            click.echo(f"recorded to {record}")
    failed = None
    for finding in heard_findings(trial.heard):
        remedy = f" -> {finding.remedy}" if finding.remedy else ""
        click.echo(f"{finding.status.value}: {finding.name}: {finding.statement}{remedy}")
        failed = failed or (finding if finding.status is Status.FAILURE else None)
    if failed is not None:
        raise UnreachableError(
            f"{failed.statement}; {(failed.remedy or '')[:1].lower()}{(failed.remedy or '')[1:]}"
        )


def _who(
    dialect: str | None,
    target: str | None,
    url: str | None,
    channels: tuple[str, ...],
    symbols: tuple[str, ...],
) -> tuple[Target, Dialect]:
    if (target is None) == (url is None):
        raise ConfigError("give one of --target NAME and --url ws://HOST:PORT")
    if target is not None:
        settings = load_target(find("targets", target))
        return settings, load_dialect(find("dialects", dialect or settings.dialect))
    if dialect is None:
        raise ConfigError("--url needs the dialect too: capacity dialect try DIALECT --url URL")
    described = load_dialect(find("dialects", dialect))
    for name in channels:
        if name not in described.channels:
            known = ", ".join(described.channels)
            raise ConfigError(f"--channel: dialect {described.name} has no {name}, it has {known}")
    chosen = channels or tuple(described.channels)
    needs = needed_for(described, chosen)
    if needs:
        raise ConfigError(
            f"dialect {described.name} needs {', '.join(needs)}; give them in `values` of a"
            " target file, and use --target"
        )
    if not symbols and any("{symbol}" in described.channels[name].wire for name in chosen):
        raise ConfigError("the channels are made of {symbol}; say what that is with --symbol")
    assert url is not None
    return target_at(url, dialect=dialect, channels=chosen, symbols=symbols), described


def _address(target: Target, dialect: Dialect) -> str:
    values = {name: f"{{{name}}}" for name in (*dialect.needs, *dialect.signatures, "connection")}
    return websocket_url(dialect, host=target.host, port=target.port, tls=target.tls, values=values)
