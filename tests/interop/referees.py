"""Clients nobody here wrote, led through the same planted gaps as ours: both must find what was left out."""

import contextlib
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import gevent
from at_the_exchange import EXCHANGE_REFEREES, ExchangeReferee
from environments import UnavailableError, self_signed, version_of, virtual_environment
from our_client import Place, settled, subscribed
from stories import Outcome

HERE = Path(__file__).parent
SECONDS = 8.0
EVERY = 20
"""Each so-manieth update is left out, where any is."""
UNDISTURBED = "referee, undisturbed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Referee:
    """One client library against one venue."""

    requirement: str
    program: str
    venue: str
    dialect: str
    channel: str
    symbol: str
    finds_gaps: bool
    """Whether this library looks for gaps at all on this venue."""
    environment: str
    wire: str | None = None
    """Of the channel that both follow, where the dialect ships with another one."""
    needs_tls: bool = False
    title: str | None = None
    """What it follows there, where it follows two things on one venue."""

    @property
    def name(self) -> str:
        return f"{self.environment} ({self.title or self.venue})"


def _ccxt(venue: str, channel: str, symbol: str, *, finds_gaps: bool) -> Referee:
    return Referee(
        requirement="ccxt==4.5.90",
        program="ccxt_books.py",
        venue=venue,
        dialect=venue,
        channel=channel,
        symbol=symbol,
        finds_gaps=finds_gaps,
        environment="ccxt",
    )


REFEREES = (
    _ccxt("deribit", "book", "BTC-PERPETUAL", finds_gaps=False),
    _ccxt("binance", "depth", "btcusdt", finds_gaps=True),
    _ccxt("okx", "books", "BTC-USDT", finds_gaps=True),
    _ccxt("bybit", "book", "BTCUSDT", finds_gaps=False),
    Referee(
        requirement="python-binance==1.0.37",
        program="python_binance.py",
        venue="binance",
        dialect="binance",
        channel="depth",
        symbol="btcusdt",
        finds_gaps=False,
        environment="python-binance",
    ),
    Referee(
        requirement="pybit==5.17.0",
        program="pybit_books.py",
        venue="bybit",
        dialect="bybit",
        channel="book",
        symbol="BTCUSDT",
        finds_gaps=False,
        environment="pybit",
    ),
    Referee(
        requirement="cryptofeed==2.4.1",  # The last one for Python 3.11; its build needs a C compiler.
        program="cryptofeed_books.py",
        venue="deribit",
        dialect="deribit",
        channel="book",
        symbol="BTC-PERPETUAL",
        finds_gaps=True,
        environment="cryptofeed",
        wire="book.{symbol}.raw",
        needs_tls=True,
    ),
    Referee(
        requirement="python-kraken-sdk==3.5.1",
        program="kraken_trades.py",
        venue="kraken",
        dialect="kraken",
        channel="trade",
        symbol="BTC/USD",
        finds_gaps=False,
        environment="python-kraken-sdk",
    ),
    Referee(
        requirement="python-kraken-sdk==3.5.1",
        program="kraken_order_book.py",
        venue="kraken",
        dialect="kraken",
        channel="book",
        symbol="BTC/USD",
        finds_gaps=True,
        environment="python-kraken-sdk",
        title="kraken, checksums",
    ),
    Referee(
        requirement="cryptofeed==2.4.1",
        program="cryptofeed_kraken.py",
        venue="kraken",
        dialect="kraken",
        channel="book",
        symbol="BTC/USD",
        finds_gaps=True,
        environment="cryptofeed",
        needs_tls=True,
        title="kraken, checksums",
    ),
)
NOT_TRIED = {
    "coinbase-advanced-py (coinbase)": "looks for no gaps; nothing here speaks this venue",
}


def undisturbed_outcomes(seconds: float, names: Sequence[str]) -> list[Outcome]:
    """Return what came of clients that all followed for so long, at once, while nothing was left out."""
    taken = [each for each in (*REFEREES, *EXCHANGE_REFEREES) if not names or each.name in names]
    for each in taken:  # One after the other: some share an environment.
        with contextlib.suppress(UnavailableError):
            virtual_environment(each.environment, each.requirement)
    followed = [gevent.spawn(lambda r: list(_undisturbed(r, seconds)), r) for r in taken]
    gevent.joinall(followed, raise_error=True)
    return [
        replace(each, kind=UNDISTURBED, name=f"{each.name}, {seconds:.0f} s")
        for greenlet in followed
        for each in greenlet.value
    ]


def _undisturbed(referee: Referee | ExchangeReferee, seconds: float) -> Iterator[Outcome]:
    if isinstance(referee, ExchangeReferee):
        return referee.outcomes(seconds, (0.0,))
    return referee_outcomes(referee, seconds, (0,))


def referee_outcomes(
    referee: Referee, seconds: float = SECONDS, everies: tuple[int, ...] = (0, EVERY)
) -> Iterator[Outcome]:
    """Yield what came of one client, for each number of updates of which one is left out (0: none)."""
    try:
        python = virtual_environment(referee.environment, referee.requirement)
        version = version_of(python, referee.environment)
    except UnavailableError as error:
        yield Outcome(
            kind="referee",
            name=referee.name,
            dialect=referee.dialect,
            verdict="unavailable",
            told=str(error),
        )
        return
    for every in everies:
        yield _played(referee, python, version, every, seconds)


def _played(referee: Referee, python: Path, version: str, every: int, seconds: float) -> Outcome:
    with _venue(referee, every) as (port, more):
        command = [str(python), str(HERE / "programs" / referee.program), referee.venue]
        with subprocess.Popen(
            [*command, str(port), str(seconds), *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            wires = {referee.channel: {"wire": referee.wire}}
            place = Place(
                dialect=referee.dialect,
                port=port,
                channel=referee.channel,
                symbol=referee.symbol,
                changes=(("channels", wires),) if referee.wire else (),
            )
            followed = (referee.wire or "").format(symbol=referee.symbol)
            with subscribed(place, 1) as clients:
                gevent.sleep(0.5)
                before = _dropped(port, followed)
                start = clients.counters.gaps
                gevent.sleep(seconds)
                counts = settled(clients, 0)
                dropped = _dropped(port, followed)
                planted = len(dropped) - len(before)
            told, trouble = process.communicate(timeout=seconds + 60)
    said = json.loads(told.splitlines()[-1]) if told.strip() else {"wrong": [trouble[-200:]]}
    ours = {"updates": counts["deliveries"], "gaps": counts["gaps"] - start}
    said["elsewhere"] = [each for each in said.get("places", []) if each - 1 not in dropped]
    return _judged(referee, version, every, said, ours, planted)


def _judged(referee, version, every, said, ours, planted):
    """Lay what a referee and we found beside what was left out."""
    updates, theirs = said.get("updates", 0), said.get("gaps", 0)
    gaps = ours["gaps"]
    is_found = abs(gaps - planted) <= 1
    if every:
        agrees = is_found and planted > 0 and (theirs > 0 or not referee.finds_gaps)
        agrees = agrees and not said["elsewhere"]
    else:
        agrees = gaps == theirs == 0
    looks = f"{theirs} found by it" if referee.finds_gaps else "it looks for none"
    told = (
        f"{updates} updates read by it, {ours['updates']} by us; {planted} left out: {gaps} found by us,"
        f" {looks}"
    )
    wrong = said.get("wrong") or []
    return Outcome(
        kind="referee",
        name=referee.name,
        version=version,
        dialect=referee.dialect,
        verdict="agrees" if agrees and updates and ours["updates"] and not wrong else "differs",
        told=told + (f"; it said: {wrong[0]}" if wrong else ""),
    )


def _dropped(port: int, channel: str) -> list[object]:
    url = f"http://127.0.0.1:{port}/dropped?channel={channel}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        told: list[object] = json.loads(answer.read())
        return told


@contextlib.contextmanager
def _venue(referee: Referee, every: int) -> Iterator[tuple[int, list[str]]]:
    """Start what speaks that venue, with a gap after each *every* updates; yield its port.

    With it comes what the referee needs to know of TLS: port and certificate.
    """
    with contextlib.ExitStack() as stack:
        if referee.venue != "deribit":
            fixture = (str(HERE / "fixture_venue.py"), str(every))
            if not referee.needs_tls:
                yield _port(_process(stack, *fixture)), []
                return
            certificate = _certificate(stack)
            process = _process(stack, *fixture, certificate)
            yield _port(process), [str(_port(process)), certificate]
            return
        command = ("-m", "capacity.cli.main", "exchange", "--port", "0", "--updates-per-s", "10")
        exchange = _process(stack, *command).stdout.readline().strip().rpartition(":")[2]
        relay = (str(HERE / "gap_relay.py"), exchange, str(every))
        if not referee.needs_tls:
            yield _port(_process(stack, *relay)), []
            return
        certificate = _certificate(stack)
        process = _process(stack, *relay, certificate)
        yield _port(process), [str(_port(process)), certificate]


def _certificate(stack: contextlib.ExitStack) -> str:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    return self_signed(folder / "here.pem")


def _port(process: "subprocess.Popen[str]") -> int:
    return int(process.stdout.readline())


def _process(stack: contextlib.ExitStack, *command: str) -> "subprocess.Popen[str]":
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    )
    stack.callback(process.kill)
    return process
