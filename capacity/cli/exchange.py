"""`capacity exchange`: run the bundled target."""

import asyncio
import logging
import math
from pathlib import Path

import click

from capacity.cli.helping.named_options import whole_number
from capacity.domain.errors import ConfigError
from capacity.exchange.api.logins import load_credentials
from capacity.exchange.app import serve
from capacity.exchange.faults.ordered_faults import load_faults
from capacity.exchange.market.instruments import MOST_INSTRUMENTS
from capacity.exchange.options import Burstiness, ExchangeOptions
from capacity.exchange.peer import POLICY_VIOLATION
from capacity.exchange.planned_shutdown import WORDS
from capacity.exchange.self_signed import CERTIFICATE, self_signed
from capacity.exchange.shards import serve_sharded

LEAST_OWN_CODE = 4000
"""Of the close codes that are an application's own (RFC 6455, section 7.4.2)."""


def _finite(_context: click.Context, _option: click.Parameter, value: float) -> float:
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a finite number.")
    return value


def _finite_if_any(
    context: click.Context, option: click.Parameter, value: float | None
) -> float | None:
    return None if value is None else _finite(context, option, value)


def _close_code(_context: click.Context, _option: click.Parameter, code: int | None) -> int | None:
    if code is not None and code != POLICY_VIOLATION and code < LEAST_OWN_CODE:
        raise click.BadParameter(f"{code} is neither 1008 nor in the range 4000<=x<=4999.")
    return code


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@whole_number(
    "--port",
    least=0,
    most=65535,
    default=8080,
    help_text="Port to listen on; 0 for any free one.",
)
@whole_number(
    "--processes",
    least=1,
    most=64,
    default=1,
    help_text="Processes sharing the port; limits and costs below apply to each.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Random seed of the market data."
)
@whole_number(
    "--instruments",
    least=1,
    most=MOST_INSTRUMENTS,
    default=10,
    help_text="Number of instruments: ten perpetuals (BTC-PERPETUAL, ...), then options.",
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
@whole_number(
    "--state-bytes",
    least=0,
    most=1 << 30,
    default=0,
    help_text="Memory per open WebSocket connection.",
)
@click.option(
    "--cpu-per-message-us",
    type=click.FloatRange(0, 1_000_000),
    callback=_finite,
    default=0.0,
    show_default=True,
    help="CPU time burned per delivered update.",
)
@whole_number(
    "--backlog",
    least=1,
    most=65535,
    default=1024,
    help_text="Accept queue length (listen backlog).",
)
@click.option(
    "--max-connections",
    type=click.IntRange(min=1),
    help="Maximum WebSocket connections; further ones get 503.  [default: unlimited]",
)
@click.option(
    "--max-connections-per-address",
    type=click.IntRange(min=1),
    help="Maximum WebSocket connections of one source address; further ones get 429."
    "  [default: unlimited]",
)
@click.option(
    "--connects-per-address",
    type=click.IntRange(min=1),
    help="Maximum attempts at a WebSocket connection of one source address in --connects-window-s;"
    " further ones get 429.  [default: unlimited]",
)
@click.option(
    "--connects-window-s",
    type=click.FloatRange(1, 86_400),
    callback=_finite,
    default=300.0,
    show_default=True,
    help="Seconds in which those are counted, from the first attempt of an address on.",
)
@click.option(
    "--credits-per-s",
    type=click.FloatRange(0.001, 1_000_000),
    callback=_finite_if_any,
    help="Credits a source address gets back per second; requests beyond them get 429, who goes on 418."
    "  [default: unlimited]",
)
@whole_number(
    "--credits-burst",
    least=10,
    most=1_000_000,
    default=100,
    help_text="Credits a source address may have at once.",
)
@whole_number(
    "--ban-after",
    least=1,
    most=1_000_000,
    default=10,
    help_text="Requests without credits, in a row, before an address is banned.",
)
@click.option(
    "--ban-s",
    type=click.FloatRange(1, 259_200),
    callback=_finite,
    default=120.0,
    show_default=True,
    help="Length of a first ban in seconds; each further one lasts twice as long.",
)
@whole_number(
    "--slow-consumer-bytes",
    least=1024,
    most=1 << 30,
    default=1 << 20,
    help_text="Unsent bytes beyond which a connection is closed as too slow.",
)
@click.option(
    "--slow-consumer-messages",
    type=click.IntRange(1, 10_000_000),
    help="Likewise unsent messages.  [default: unlimited]",
)
@click.option(
    "--slow-consumer-code",
    type=click.IntRange(1008, 4999),
    callback=_close_code,
    help="Close code for it: 1008, or 4000 to 4999.  [default: cut without a word]",
)
@click.option(
    "--descriptor-limit",
    type=click.IntRange(min=16),
    help="Soft limit of file descriptors.  [default: inherited]",
)
@click.option(
    "--shutdown-notice-s",
    type=click.FloatRange(0, 3600),
    callback=_finite,
    default=0.0,
    show_default=True,
    help="On SIGTERM, notify the clients this long before they are closed; 0 closes them at once.",
)
@click.option(
    "--shutdown-code",
    type=click.Choice([str(code) for code in WORDS]),
    default="1001",
    show_default=True,
    help="Close code at the end: going away, or service restart.",
)
@click.option(
    "--credentials",
    type=click.Path(path_type=Path),
    help="YAML file of who may log in: clients by id, with their secrets.  [default: anybody]",
)
@click.option(
    "--faults",
    type=click.Path(path_type=Path),
    help="YAML file of what goes wrong, and when: skip, stall, half_open, burst.",
)
@click.option(
    "--takes-faults", is_flag=True, help="Also take faults by POST /faults, from loopback alone."
)
@click.option(
    "--deflate", "compresses", is_flag=True, help="Grant permessage-deflate to who offers it."
)
@click.option(
    "--tls",
    "tls_folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Speak TLS with FOLDER/certificate.pem, self-signed and made there where it is missing.",
)
def command(
    burstiness: str,
    shutdown_code: str,
    credentials: Path | None,
    faults: Path | None,
    tls_folder: Path | None,
    **settings: object,
) -> None:
    """Run a small exchange: JSON-RPC over REST and WebSocket, with settable costs and limits."""
    logging.basicConfig(format="exchange: %(message)s", level=logging.WARNING)
    if settings["takes_faults"] and settings["processes"] != 1:
        raise ConfigError("--takes-faults: a request would reach one of --processes only; use 1")
    options = ExchangeOptions(
        burstiness=Burstiness(burstiness),
        shutdown_code=int(shutdown_code),
        secrets=load_credentials(credentials) if credentials is not None else None,
        faults=load_faults(faults) if faults is not None else (),
        tls=self_signed(tls_folder) if tls_folder is not None else None,
        **settings,  # type: ignore[arg-type]  # click checked the types
    )

    def announce(port: int) -> None:
        host = f"[{options.host}]" if ":" in options.host else options.host
        scheme = "http" if options.tls is None else "https"
        click.echo(f"exchange ready on {scheme}://{host}:{port}", err=True)
        if tls_folder is not None:
            click.echo(f"certificate: {(tls_folder / CERTIFICATE).resolve()}", err=True)

    if options.processes == 1:
        asyncio.run(serve(options, announce))
    else:
        serve_sharded(options, announce)
