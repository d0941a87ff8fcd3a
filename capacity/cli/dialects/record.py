"""`capacity dialect record`: what a server says to frames that are given, before there is a dialect."""

from pathlib import Path
from urllib.parse import urlsplit

import click

from capacity.cli.dialects.live_conversation import FrameWatcher, target_at, write_recording
from capacity.cli.dialects.shown import MOST_FRAMES
from capacity.domain.errors import ConfigError
from capacity.domain.units import counted
from capacity.loadgen.checks.trial import try_conversation
from capacity.workload.dialects.channel_requests import Channel
from capacity.workload.dialects.dialect import Data, Dialect
from capacity.workload.dialects.encodings.payload import Messages
from capacity.workload.dialects.endpoints import WebSocket
from capacity.workload.dialects.sending import Step


@click.command("record")
@click.argument("url")
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--send", "texts", multiple=True, help="Frame to send, as it stands; in their order.")
@click.option("--header", "headers", multiple=True, help="'Name: value' of the handshake.")
@click.option(
    "--subprotocol", "subprotocols", multiple=True, help="WebSocket subprotocol to offer."
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 3600),
    default=10.0,
    show_default=True,
    help="How long to listen.",
)
@click.option("--frames", "most", default=MOST_FRAMES, show_default=True, help="Frames to show.")
def command(
    *,
    url: str,
    recording: Path,
    texts: tuple[str, ...],
    headers: tuple[str, ...],
    subprotocols: tuple[str, ...],
    seconds: float,
    most: int,
) -> None:
    """Connect to URL (ws:// or wss://), send the frames, and write all that comes to RECORDING."""
    if recording.exists():
        raise ConfigError(f"{recording}: is there already and is never overwritten; name another")
    watcher = FrameWatcher(most, knows_dialect=False)
    target = target_at(url, dialect="recording", channels=("all",))
    try:
        try_conversation(
            target, _anything(url, texts, headers, subprotocols), listen_s=seconds, watcher=watcher
        )
    finally:
        watcher.close()
        if watcher.frames:
            write_recording(recording, watcher.frames, url)
            click.echo(f"{counted(len(watcher.frames), 'frame')} recorded to {recording}")
    click.echo(f"Next: capacity dialect init NAME {recording}", err=True)


def _anything(
    url: str, texts: tuple[str, ...], headers: tuple[str, ...], subprotocols: tuple[str, ...]
) -> Dialect:
    """Return the dialect in which everything that comes is an update."""
    for header in headers:
        if ":" not in header:
            raise ConfigError(f"--header: must be 'Name: value' (got {header[:40]!a})")
    parts = urlsplit(url)
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    return Dialect(
        dialect=1,
        name="recording",
        ws=WebSocket(
            url=f"{{scheme}}://{{host}}:{{port}}{path}",
            headers={
                name.strip(): value.strip()
                for name, _, value in (header.partition(":") for header in headers)
            },
            subprotocols=subprotocols,
        ),
        messages=Messages(content="opaque"),
        opening=tuple(Step(send_text=text) for text in texts),
        channels={"all": Channel(wire="all")},
        data=Data(where={}),
    )
