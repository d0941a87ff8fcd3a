"""The exchange as several processes on one port, each with an event loop and descriptors of its own.

The kernel spreads new connections over those that listen (SO_REUSEPORT, socket(7)). Each is an
exchange of its own with the same seed: tokens hold everywhere, orders where they were placed.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from capacity.domain.errors import CapacityError
from capacity.exchange.app import Shard, check_descriptor_limit, serve
from capacity.exchange.listener import reserved_port
from capacity.exchange.market.board import Board
from capacity.exchange.options import ExchangeOptions

log = logging.getLogger(__name__)

_PATIENCE_S = 5.0


def serve_sharded(options: ExchangeOptions, on_ready: Callable[[int], None]) -> None:
    """Run `options.processes` processes until SIGTERM or SIGINT; *on_ready* is told the port.

    They end together: when one ends without being told to, CapacityError says so.
    """
    if options.descriptor_limit is not None:
        check_descriptor_limit(options.descriptor_limit)
    with reserved_port(options.host, options.port) as reservation:
        options = replace(options, port=reservation.getsockname()[1])
        is_told, code = _run(options, on_ready)
    if not is_told:
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        raise CapacityError(
            f"one of the exchange's {options.processes} processes {how}; all were ended"
        )


def _run(options: ExchangeOptions, on_ready: Callable[[int], None]) -> tuple[bool, int]:
    """Return whether a signal ended it, and the exit code of the first process."""
    fork = multiprocessing.get_context("fork")
    board = Board(options.processes)
    is_ready, says_ready = os.pipe()
    lifeline, held_by_us = os.pipe()
    shards = [
        fork.Process(
            target=_serve_shard,
            args=(options, Shard(number=number, board=board, lifeline=lifeline), says_ready),
            kwargs={"closes": (is_ready, held_by_us)},
        )
        for number in range(options.processes)
    ]
    for shard in shards:
        shard.start()
    sentinels = [shard.sentinel for shard in shards]
    told: list[int] = []
    try:
        os.close(says_ready)
        with _signals_noted(told, shards):
            ready = 0
            while ready < len(shards) and all(shard.is_alive() for shard in shards):
                if is_ready in wait([is_ready, *sentinels]):
                    ready += len(os.read(is_ready, len(shards)))
            if ready == len(shards):
                on_ready(options.port)
            ended = wait(sentinels)
            first = next(shard for shard in shards if shard.sentinel in ended)
            first.join()  # Its end of the pipe closes a moment before it has an exit code.
            _end(shards)
    finally:
        for descriptor in (is_ready, lifeline, held_by_us):
            os.close(descriptor)
    assert first.exitcode is not None
    return bool(told), first.exitcode


def _serve_shard(
    options: ExchangeOptions, shard: Shard, says_ready: int, *, closes: tuple[int, ...]
) -> None:
    for descriptor in closes:  # Only the parent's may be open: its end is then the pipe's.
        os.close(descriptor)
    try:
        asyncio.run(serve(options, lambda _port: _say(says_ready), shard))
    except CapacityError as error:
        log.error("%s", error)  # noqa: TRY400 - the sentence is for a person
        sys.exit(error.exit_code)


def _say(says_ready: int) -> None:
    os.write(says_ready, b".")
    os.close(says_ready)


@contextmanager
def _signals_noted(told: list[int], shards: Sequence[BaseProcess]) -> Iterator[None]:
    """Pass SIGTERM and SIGINT on to the processes, and note that they came."""

    def end(number: int, _frame: object) -> None:
        told.append(number)
        for shard in shards:
            shard.terminate()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(shards: Sequence[BaseProcess]) -> None:
    for shard in shards:
        shard.terminate()
    for shard in shards:
        shard.join(_PATIENCE_S)
        shard.kill()
        shard.join()
