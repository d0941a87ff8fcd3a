"""Clients nobody here wrote, led through the same planted gaps as ours: both must find what was left out."""

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gevent
from environments import UnavailableError, version_of, virtual_environment
from ours import Place, settled, subscribed
from stories import Outcome

HERE = Path(__file__).parent
SECONDS = 8.0
EVERY = 20
"""Each so-manieth update is left out, where any is."""


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

    @property
    def name(self) -> str:
        return f"{self.environment} ({self.venue})"


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
)
NOT_TRIED = {
    "cryptofeed (deribit)": "wants TLS and a C compiler; gap_relay.py can serve TLS",
    "python-kraken-sdk (kraken)": "numbers no book; its checksums are not planted here",
    "coinbase-advanced-py (coinbase)": "looks for no gaps; nothing here speaks this venue",
}


def referee_outcomes(referee: Referee, seconds: float = SECONDS) -> Iterator[Outcome]:
    """Yield what came of one client, without and with planted gaps."""
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
    for every in (0, EVERY):
        yield _played(referee, python, version, every, seconds)


def _played(referee: Referee, python: Path, version: str, every: int, seconds: float) -> Outcome:
    with _venue(referee, every) as port:
        command = [str(python), str(HERE / "programs" / referee.program), referee.venue]
        with subprocess.Popen(
            [*command, str(port), str(seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            place = Place(
                dialect=referee.dialect, port=port, channel=referee.channel, symbol=referee.symbol
            )
            with subscribed(place, 1) as clients:
                gevent.sleep(0.5)
                before = _dropped(port)
                start = clients.counters.gaps
                gevent.sleep(seconds)
                ours = settled(clients, 0)["gaps"] - start
                planted = len(_dropped(port)) - len(before)
            told, trouble = process.communicate(timeout=seconds + 60)
    said = json.loads(told.splitlines()[-1]) if told.strip() else {"wrong": [trouble[-200:]]}
    return _judged(referee, version, every, said, ours, planted)


def _judged(referee, version, every, said, ours, planted):
    """Lay what a referee and we found beside what was left out."""
    updates, theirs = said.get("updates", 0), said.get("gaps", 0)
    is_found = abs(ours - planted) <= 1
    if every:
        agrees = is_found and planted > 0 and (theirs > 0 or not referee.finds_gaps)
    else:
        agrees = ours == theirs == 0
    looks = f"{theirs} found by it" if referee.finds_gaps else "it looks for none"
    told = f"{updates} updates read by it; {planted} left out: {ours} found by us, {looks}"
    wrong = said.get("wrong") or []
    return Outcome(
        kind="referee",
        name=referee.name,
        version=version,
        dialect=referee.dialect,
        verdict="agrees" if agrees and updates > 0 and not wrong else "differs",
        told=told + (f"; it said: {wrong[0]}" if wrong else ""),
    )


def _dropped(port: int) -> list[object]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/dropped", timeout=10) as answer:
        told: list[object] = json.loads(answer.read())
        return told


@contextlib.contextmanager
def _venue(referee: Referee, every: int) -> Iterator[int]:
    """Start what speaks that venue, with a gap after each *every* updates; yield its port."""
    with contextlib.ExitStack() as stack:
        if referee.venue != "deribit":
            yield _started(stack, str(HERE / "fixture_venue.py"), str(every))
            return
        command = ("-m", "capacity.cli.main", "exchange", "--port", "0", "--updates-per-s", "10")
        process = _process(stack, *command)
        port = process.stdout.readline().strip().rpartition(":")[2]
        yield _started(stack, str(HERE / "gap_relay.py"), port, str(every))


def _started(stack: contextlib.ExitStack, *command: str) -> int:
    return int(_process(stack, *command).stdout.readline())


def _process(stack: contextlib.ExitStack, *command: str) -> "subprocess.Popen[str]":
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    )
    stack.callback(process.kill)
    return process
