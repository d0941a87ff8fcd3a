"""`capacity dialect explain`: the frames that a dialect sends, before anything is sent."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import click

from capacity.cli.helping.completion import names
from capacity.domain.errors import ConfigError
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.workload.conversation import Conversation
from capacity.workload.dialects.address import channel_name, rest_request, websocket_url
from capacity.workload.dialects.answers import Ack
from capacity.workload.dialects.compiled import compile_dialect
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.endpoints import Secret
from capacity.workload.dialects.sending import CompiledRequest, CompiledStep
from capacity.workload.dialects.values import BUILT_IN, FrameValues
from capacity.workload.drafting.yaml_text import flow

_OF = {"key": "", "connection": ", of the connection"}
_SYMBOL = "SYMBOL"


@click.command("explain")
@click.argument("dialect", shell_complete=names("dialects"))
@click.option("--channel", "channels", multiple=True, help="Logical channel; by default all.")
@click.option("--symbol", "symbols", multiple=True, help="What {symbol} stands for.")
def command(*, dialect: str, channels: tuple[str, ...], symbols: tuple[str, ...]) -> None:
    """Print the frames that DIALECT sends, in their order, and what it makes of what comes."""
    described = load_dialect(find("dialects", dialect))
    for name in channels:
        if name not in described.channels:
            known = ", ".join(described.channels)
            raise ConfigError(f"dialect {described.name} has no channel {name}, it has {known}")
    for line in explained(described, channels or tuple(described.channels), symbols or (_SYMBOL,)):
        click.echo(line)


def explained(dialect: Dialect, channels: Sequence[str], symbols: Sequence[str]) -> Iterator[str]:
    """Yield the lines that explain *dialect*; values of `needs` are shown as {name}."""
    wires = list(
        dict.fromkeys(
            channel_name(dialect, name, symbol) for name in channels for symbol in symbols
        )
    )
    kept = (name for step in dialect.opening for name in step.keep)
    given: dict[str, str] = {
        name: _Named(f"{{{name}}}")
        for name in (*dialect.needs, *BUILT_IN, *dialect.signatures, *kept)
    }
    dialect = replace(dialect, signatures={})  # Of values that are not known, nothing is signed.
    given["connection"] = "0"
    yield from _handshake(dialect, wires, given)
    yield from _sent(dialect, wires, given)
    yield from _answers(dialect)
    yield from _heard(dialect)
    for name in dialect.rest:
        method, url, body = rest_request(
            dialect, name, host="HOST", port=0, tls=True, symbol=symbols[0], values=given
        )
        url = url.replace("%7B", "{").replace("%7D", "}")
        told = "" if body is None else f" {_text(body)}"
        yield f"REST      {name}: {method} {url.replace('HOST:0', 'HOST:PORT')}{told}"


def _handshake(dialect: Dialect, wires: Sequence[str], given: dict[str, str]) -> Iterator[str]:
    address = websocket_url(dialect, host="HOST", port=0, tls=True, channels=wires, values=given)
    address = address.replace("HOST:0", "HOST:PORT").replace("%7B", "{").replace("%7D", "}")
    yield f"connect   {address}"
    for name, value in dialect.ws.headers.items():
        yield f"header    {name}: {value if not isinstance(value, Secret) else '(a secret)'}"
    if dialect.ws.subprotocols:
        yield f"offer     subprotocols {', '.join(dialect.ws.subprotocols)}"


def _sent(dialect: Dialect, wires: Sequence[str], given: dict[str, str]) -> Iterator[str]:
    compiled = compile_dialect(dialect)
    talk = Conversation(compiled, wires, lambda: _Shown(given))
    for frame in talk.opening():
        yield f"send      {_text(frame)}"
    for step, rule in zip(compiled.steps, dialect.opening, strict=True):
        yield from _step(step, rule.answer, rule.answer_text, given)
    for frame in talk.subscribe():
        yield f"send      {_text(frame)}"
    ack = None if dialect.subscribe is None else dialect.subscribe.ack
    if compiled.confirm == "first_data":
        yield f"confirmed by the first update{_refusal(ack)}"
    elif ack is not None:
        yield f"confirmed {_answer(ack)}"
    if compiled.unsubscribe is not None:
        yield from _ended(compiled.unsubscribe, wires, given)
    for n, (every_s, _frame) in enumerate(compiled.periodic):
        yield f"each {every_s:g} s  send {_text(talk.every(n))}"


def _ended(
    request: CompiledRequest,
    wires: Sequence[str],
    given: dict[str, str],
) -> Iterator[str]:
    batch = request.batch
    for start in range(0, len(wires), batch):
        own = {"id": 1, "alias": _Named("{alias}")}
        about = request.about(tuple(wires[start : start + batch]))
        values = FrameValues(own, _Shown(given), {}, asked=about)
        yield f"end       {_text(request.frame(values))}"


def _answers(dialect: Dialect) -> Iterator[str]:
    for rule in dialect.heartbeat:
        reply = rule.send_text or (flow(rule.send) if rule.send is not None else "nothing")
        if rule.when_text is not None:
            yield f"on        the text {rule.when_text!r}: send {reply}"
        elif rule.when is not None and rule.when != "connect":
            yield f"on        {flow(rule.when)}: send {reply}"


def _heard(dialect: Dialect) -> Iterator[str]:
    for data in dialect.updates:
        of = "of the first channel" if data.key is None else f"of the channel named by {data.key}"
        inner = f", read from {data.items}" if data.items else ""
        yield f"update    {flow(dict(data.where))}, {of}{inner}"
    if dialect.times:
        told = ", else ".join(f"{time.path} in {time.unit}" for time in dialect.times)
        yield f"time      {told}"
    for sequence in dialect.sequence:
        read = (sequence.prev, sequence.first, sequence.seq)
        numbers = "".join(f" {path}" for path in read if path)
        told = (
            sequence.only
            if sequence.where is None
            else f"not updates but {flow(dict(sequence.where))}"
        )
        yield f"sequence  {told}: {sequence.rule}{numbers}{_OF[sequence.scope]}"


def _step(
    step: CompiledStep, answer: Ack | None, text: str | None, given: dict[str, str]
) -> Iterator[str]:
    if step.frame is not None:
        yield f"send      {_text(step.frame(_Shown(given)))}"
    if answer is not None:
        yield f"wait for  {_answer(answer)}"
    elif text is not None:
        yield f"wait for  the text {text!r}"


class _Named(str):
    """The name of a value, also where the template wants a number."""

    __slots__ = ()

    def __int__(self) -> int:
        return 0

    def __add__(self, more: object) -> str:
        return _Named(f"{self.removesuffix('}')}+{more}}}")


class _Shown(dict[str, object]):
    """Every value that is not known yet is its name."""

    def __missing__(self, name: str) -> object:
        return 1 if name == "id" else _Named(f"{{{name}}}")


def _answer(ack: Ack) -> str:
    ok = f" that has {flow(dict(ack.ok))}" if ack.ok else ""
    return f"{flow(dict(ack.where))}{ok}{_refusal(ack)}"


def _refusal(ack: Ack | None) -> str:
    error = None if ack is None else ack.error
    return "" if error is None else f"; refused by {flow(dict(error.where))}"


def _text(frame: bytes) -> str:
    text = frame.decode(errors="replace")
    return text if text.isprintable() and "\ufffd" not in text else repr(frame)[2:-1]
