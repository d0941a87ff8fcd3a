"""The exchange as a process: one event loop, one listener, orderly from start to end."""

import asyncio
import gc
import resource
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from capacity.domain.errors import PreflightError
from capacity.exchange.api.client_session import GOING_AWAY, Session
from capacity.exchange.api.rest import RestApi
from capacity.exchange.api.rpc import LARGEST_REQUEST_BYTES
from capacity.exchange.counters import Counters
from capacity.exchange.listener import Listener
from capacity.exchange.market.board import Board
from capacity.exchange.market.publisher import Publisher
from capacity.exchange.options import ExchangeOptions
from capacity.exchange.venue import Venue

KEEP_ALIVE_S = 75.0
_FAREWELL_S = 0.5
"""What connections get to leave by themselves at the end."""
_POST_S = 0.2

_ENDINGS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """What one of several processes has in common with the others."""

    number: int
    """From 0."""
    board: Board
    lifeline: int
    """Descriptor of a pipe that ends with the parent."""


class Exchange:
    """Everything wired together; `port` is known once it is running."""

    def __init__(self, options: ExchangeOptions, shard: Shard | None = None) -> None:
        self.options = options
        self._shard = shard
        self.counters = Counters()
        self.venue = Venue(seed=options.seed, instruments=options.instruments)
        self.publisher = Publisher(self.venue.markets, options, self.counters)
        self.sessions: set[Session] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Serve while the context lasts; yields the port."""
        options = self.options
        application = web.Application(client_max_size=LARGEST_REQUEST_BYTES)
        application.add_routes(RestApi(self.venue, self.counters, options, self._counted).routes())
        application.router.add_get("/ws/api/v2", self._admit)
        runner = web.AppRunner(
            application,
            access_log=None,
            keepalive_timeout=KEEP_ALIVE_S,
            shutdown_timeout=_FAREWELL_S,
        )
        await runner.setup()
        assert runner.server is not None
        listener = Listener(
            options.host,
            options.port,
            backlog=options.backlog,
            protocol=runner.server,
            counters=self.counters,
            is_shared=options.processes > 1,
        )
        posting = asyncio.create_task(self._post_forever())
        listener.start()
        self.publisher.start()
        try:
            yield listener.port
        finally:
            posting.cancel()
            self.publisher.stop()
            listener.stop()
            for session in self.sessions:
                session.close(GOING_AWAY, "shutting down")
            await runner.cleanup()

    def _counted(self) -> Counters:
        """Return what this process counts, and the others beside it."""
        if self._shard is None:
            return self.counters
        self._shard.board.post(self._shard.number, self.counters)
        return self._shard.board.total()

    async def _post_forever(self) -> None:
        while self._shard is not None:
            self._shard.board.post(self._shard.number, self.counters)
            await asyncio.sleep(_POST_S)

    async def _admit(self, request: web.Request) -> web.StreamResponse:
        counters, most = self.counters, self.options.max_connections
        if most is not None and counters.open_connections >= most:
            counters.refused += 1
            refusal = web.Response(status=503, text="too many connections")
            refusal.force_close()
            return refusal
        counters.open_connections += 1
        try:
            return await self._converse(request)
        finally:
            counters.open_connections -= 1

    async def _converse(self, request: web.Request) -> web.StreamResponse:
        # The reader refuses a message of the size it is given.
        websocket = web.WebSocketResponse(
            compress=False, max_msg_size=LARGEST_REQUEST_BYTES + 1, decode_text=False
        )
        await websocket.prepare(request)
        transport = request.transport
        if transport is None:
            return websocket
        session = Session(
            transport,
            venue=self.venue,
            publisher=self.publisher,
            counters=self.counters,
            options=self.options,
        )
        self.sessions.add(session)
        self.counters.accepted += 1
        try:
            async for message in websocket:
                if message.type in (web.WSMsgType.TEXT, web.WSMsgType.BINARY):
                    session.receive(message.data)
        finally:
            self.sessions.discard(session)
            session.release()
        return websocket


def check_descriptor_limit(limit: int) -> None:
    """Raise PreflightError if no process here may have so many descriptors."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and limit > hard:
        raise PreflightError(
            f"--descriptor-limit {limit}: this process may have at most {hard}; ask for less or "
            "raise the hard limit (ulimit -Hn, LimitNOFILE=)"
        )


def limit_descriptors(limit: int) -> None:
    """Set this process's soft limit of open descriptors."""
    check_descriptor_limit(limit)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


async def serve(
    options: ExchangeOptions, on_ready: Callable[[int], None], shard: Shard | None = None
) -> None:
    """Run the exchange until SIGTERM or SIGINT; *on_ready* is told the port."""
    if options.descriptor_limit is not None:
        limit_descriptors(options.descriptor_limit)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _ENDINGS:
        loop.add_signal_handler(number, stopped.set)
    if shard is not None:

        def orphaned() -> None:
            loop.remove_reader(shard.lifeline)
            stopped.set()

        loop.add_reader(shard.lifeline, orphaned)
    async with Exchange(options, shard).running() as port:
        on_ready(port)
        await stopped.wait()
        # Looking for garbage while thousands of connections fall apart would only delay the end.
        gc.disable()
    if stopped.is_set():
        _ignore_further_endings(loop)


def _ignore_further_endings(loop: asyncio.AbstractEventLoop) -> None:
    """Take no notice of a second signal: closing, asyncio would complain of one, on stderr."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    for number in _ENDINGS:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
