"""`capacity exchange`: run the bundled target."""

import asyncio
import logging
import math

import click

from capacity.exchange.app import serve
from capacity.exchange.market.instruments import MOST_INSTRUMENTS
from capacity.exchange.options import Burstiness, ExchangeOptions
from capacity.exchange.shards import serve_sharded


def _finite(_context: click.Context, _option: click.Parameter, value: float) -> float:
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a finite number.")
    return value


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port to listen on; 0 for any free one.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes sharing the port; limits and costs below apply to each.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Random seed of the market data."
)
@click.option(
    "--instruments",
    type=click.IntRange(1, MOST_INSTRUMENTS),
    default=10,
    show_default=True,
    help="Number of instruments: ten perpetuals (BTC-PERPETUAL, ...), then options.",
)
@click.option(
    "--updates-per-s",
    type=click.FloatRange(0.001, 10_000),
    callback=_finite,
    default=1.0,
    show_default=True,
    help="Update rate per instrument and channel; 100ms channels carry at most 10.",
)
@click.option(
    "--burstiness",
    type=click.Choice([kind.value for kind in Burstiness]),
    default=Burstiness.STEADY.value,
    show_default=True,
    help="Distribution of updates over time.",
)
@click.option(
    "--state-bytes",
    type=click.IntRange(0, 1 << 30),
    default=0,
    show_default=True,
    help="Memory per open WebSocket connection.",
)
@click.option(
    "--cpu-per-message-us",
    type=click.FloatRange(0, 1_000_000),
    callback=_finite,
    default=0.0,
    show_default=True,
    help="CPU time burned per delivered update.",
)
@click.option(
    "--backlog",
    type=click.IntRange(1, 65535),
    default=1024,
    show_default=True,
    help="Accept queue length (listen backlog).",
)
@click.option(
    "--max-connections",
    type=click.IntRange(min=1),
    help="Maximum WebSocket connections; further ones get 503.  [default: unlimited]",
)
@click.option(
    "--descriptor-limit",
    type=click.IntRange(min=16),
    help="Soft limit of file descriptors.  [default: inherited]",
)
def command(burstiness: str, **settings: object) -> None:
    """Run a small exchange: JSON-RPC over REST and WebSocket, with settable costs and limits."""
    logging.basicConfig(format="exchange: %(message)s", level=logging.WARNING)
    options = ExchangeOptions(burstiness=Burstiness(burstiness), **settings)  # type: ignore[arg-type]  # click checked the types

    def announce(port: int) -> None:
        host = f"[{options.host}]" if ":" in options.host else options.host
        click.echo(f"exchange ready on http://{host}:{port}", err=True)

    if options.processes == 1:
        asyncio.run(serve(options, announce))
    else:
        serve_sharded(options, announce)
