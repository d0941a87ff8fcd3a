"""The bundled exchange's Binance side, kept by libraries that nobody here wrote, and by ours beside them.

The exchange leaves updates out itself, the same for all connections: libraries and we must miss something
before the same updates, by their numbers, and the libraries' books must be those that REST has.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
from environments import UnavailableError, version_of, virtual_environment
from our_client import Place, noted_places, settled, subscribed
from stories import Outcome

HERE = Path(__file__).parent
SECONDS = 12.0
EVERY_S = 1.5
"""Time between two updates that are left out, where any are."""
UPDATES_PER_S = 25
"""More than ten, so that an update of 100 ms covers several numbers."""
CHANNEL, SYMBOL = "depth", "btcusdt"
WIRE = f"{SYMBOL}@depth@100ms"
START_S = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeReferee:
    """One client library that keeps a book of the exchange's."""

    requirement: str
    program: str
    environment: str

    @property
    def name(self) -> str:
        return f"{self.environment} (the exchange's binance)"

    def outcomes(
        self, seconds: float = SECONDS, everies_s: tuple[float, ...] = (0.0, EVERY_S)
    ) -> Iterator[Outcome]:
        """Yield what came of it, for each time between updates that are left out (0: none is)."""
        try:
            python = virtual_environment(self.environment, self.requirement)
            version = version_of(python, self.environment)
        except UnavailableError as error:
            yield self._outcome(verdict="unavailable", told=str(error))
            return
        for every_s in everies_s:
            said, ours = _followed(python, HERE / "programs" / self.program, seconds, every_s)
            agrees, told = _judged(said, ours)
            yield self._outcome(
                version=version, verdict="agrees" if agrees else "differs", told=told
            )

    def _outcome(self, **more: Any) -> Outcome:
        return Outcome(kind="referee", name=self.name, dialect="binance", **more)


EXCHANGE_REFEREES = (
    ExchangeReferee(
        requirement="ccxt==4.5.90", program="ccxt_at_the_exchange.py", environment="ccxt"
    ),
    ExchangeReferee(
        requirement="python-binance==1.0.37",
        program="python_binance_cache.py",
        environment="python-binance",
    ),
)


def _followed(python, program, seconds, every_s):
    """Return what a library said, and what we found all the while it followed."""
    with _exchange(every_s) as port:
        place = Place(dialect="binance", port=port, channel=CHANNEL, symbol=SYMBOL)
        with subscribed(place, 1) as clients:
            places = noted_places(clients, WIRE)
            left_out = _status(port)["withheld"]
            with subprocess.Popen(
                [str(python), str(program), str(port), str(seconds)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as process:
                told, trouble = process.communicate(timeout=seconds + START_S)
            gevent.sleep(0.5)  # What was left out last is known by the update behind it.
            left_out = _status(port)["withheld"] - left_out
            counts = settled(clients, 0)
    said = json.loads(told.splitlines()[-1]) if told.strip() else {"wrong": [trouble[-200:]]}
    ours = {"places": places, "left_out": left_out, "updates": counts["deliveries"]}
    return said, ours | {"is_disturbed": bool(every_s)}


def _judged(said, ours):
    """Lay what a library and we found side by side: the numbers of the updates behind each gap."""
    checked, theirs = set(said.get("checked", [])), said.get("places", [])
    inside = [each for each in ours["places"] if each in checked]
    same, different = said.get("same", 0), said.get("different", 0)
    agrees = inside == theirs and bool(inside) == ours["is_disturbed"]
    # Of what is left out for two connections, each finds its own, but not at its ends, nor beginning anew.
    agrees = agrees and 0 <= ours["left_out"] - len(ours["places"]) - len(theirs) <= 3
    agrees = agrees and bool(same) and not different and not said.get("trades_missing")
    agrees = agrees and bool(said.get("updates")) and not said.get("wrong")
    told = (
        f"{said.get('updates', 0)} updates read by it, {ours['updates']} by us; {len(inside)} gaps found by us"
        f" while it followed, {len(theirs)} by it, {len(set(inside) & set(theirs))} before the same numbers;"
        f" its book was that of REST {same} of {same + different} times"
    )
    if "trades" in said:
        agrees = agrees and bool(said["trades"]) and bool(said["tickers"])
        told += f"; {said['trades']} trades, {said['trades_missing']} missing, {said['tickers']} tickers"
    wrong = said.get("wrong") or []
    return agrees, told + (f"; it said: {wrong[0]}" if wrong else "")


def _status(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=10) as answer:
        return json.loads(answer.read())


@contextlib.contextmanager
def _exchange(every_s: float) -> Iterator[int]:
    """Start an exchange that leaves one update of each book out so often; yield its port."""
    command = [sys.executable, "-m", "capacity.cli.main", "exchange", "--port", "0"]
    command += ["--updates-per-s", str(UPDATES_PER_S)]
    with contextlib.ExitStack() as stack:
        if every_s:
            faults = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "faults.yaml"
            skip = f"{{kind: skip, every_s: {every_s}, channels: '*@depth*'}}"
            faults.write_text(f"faults: 1\ndo: [{skip}]\n", "utf-8")
            command += ["--faults", str(faults)]
        process = stack.enter_context(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        )
        stack.callback(process.kill)
        line = process.stdout.readline()
        while "exchange ready" not in line:
            line = process.stdout.readline()
        yield int(line.strip().rpartition(":")[2])
