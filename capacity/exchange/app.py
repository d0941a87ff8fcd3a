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
from capacity.exchange.admission.at_the_door import priced_by, refused
from capacity.exchange.admission.gate import Gate
from capacity.exchange.api.client_session import Session
from capacity.exchange.api.rest import RestApi
from capacity.exchange.api.rpc import LARGEST_REQUEST_BYTES
from capacity.exchange.binance.request_weights import refused_request, weighed_by
from capacity.exchange.binance.spot_rest import SpotRest
from capacity.exchange.binance.spot_venue import SpotVenue
from capacity.exchange.binance.stream_session import StreamSession
from capacity.exchange.counters import Counters
from capacity.exchange.faults.injector import Injector
from capacity.exchange.faults.orders_by_http import fault_route
from capacity.exchange.frames import Outlet
from capacity.exchange.listener import Listener
from capacity.exchange.market.board import Board
from capacity.exchange.market.publisher import Publisher
from capacity.exchange.options import ExchangeOptions
from capacity.exchange.outlets.counting import CountingOutlet
from capacity.exchange.outlets.deflating import Deflater, DeflatingOutlet
from capacity.exchange.peer import Peer
from capacity.exchange.planned_shutdown import WORDS, give_notice
from capacity.exchange.venue import Venue

_DERIBIT = "/ws/api/v2"
_COMBINED = "/stream"
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
        self.venue = Venue(
            seed=options.seed, instruments=options.instruments, secrets=options.secrets
        )
        self.publisher = Publisher(self.venue.markets, options, self.counters)
        self.spot = SpotVenue(self.venue.markets, self.publisher)
        self.sessions: dict[Peer, None] = {}
        """Those that are open, in the order they came."""
        self._injector = Injector(
            options.faults,
            seed=options.seed,
            sessions=self.sessions.keys(),
            publisher=self.publisher,
            counters=self.counters,
        )
        self._gate = Gate(options, self.counters) if options.knows_addresses else None
        self._deflaters: dict[int, Deflater] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Serve while the context lasts; yields the port."""
        options, gate = self.options, self._gate
        application = web.Application(
            client_max_size=LARGEST_REQUEST_BYTES,
            middlewares=[priced_by(gate), weighed_by(gate, options)] if gate else (),
        )
        application.add_routes(RestApi(self.venue, self.counters, options, self._counted).routes())
        application.add_routes(SpotRest(self.spot, self.counters, options).routes())
        for path in (_DERIBIT, "/ws", "/ws/{streams:.*}", _COMBINED):
            application.router.add_get(path, self._admit)
        if options.takes_faults:
            application.add_routes([fault_route(self._injector)])
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
            tls=options.tls,
        )
        posting = asyncio.create_task(self._post_forever())
        listener.start()
        self.publisher.start()
        self._injector.start()
        try:
            yield listener.port
        finally:
            posting.cancel()
            self._injector.stop()
            self.publisher.stop()
            listener.stop()
            for session in self.sessions:
                session.close(options.shutdown_code, WORDS[options.shutdown_code])
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
        if self._gate is not None:
            turned_away = self._gate.connect(request.remote or "")
            if turned_away is not None:
                is_deribit = request.path == _DERIBIT
                refusal = (refused if is_deribit else refused_request)(turned_away)
                refusal.force_close()
                return refusal
        counters.open_connections += 1
        try:
            return await self._converse(request)
        finally:
            counters.open_connections -= 1
            if self._gate is not None:
                self._gate.leave(request.remote or "")

    async def _converse(self, request: web.Request) -> web.StreamResponse:
        # The reader refuses a message of the size it is given.
        websocket = web.WebSocketResponse(
            autoping=False,
            autoclose=False,
            compress=self.options.compresses,
            max_msg_size=LARGEST_REQUEST_BYTES + 1,
            decode_text=False,
        )
        await websocket.prepare(request)
        transport = request.transport
        if transport is None:
            return websocket
        session = self._session(request, self._outlet(transport, websocket))
        try:
            async for message in websocket:
                if message.type in (web.WSMsgType.TEXT, web.WSMsgType.BINARY):
                    session.receive(message.data)
                elif message.type is web.WSMsgType.PING:
                    session.answer_ping(message.data)
                elif message.type is web.WSMsgType.PONG:
                    session.take_pong(message.data)
        finally:
            if session.is_mute:  # Who leaves is not answered either.
                transport.abort()
            del self.sessions[session]
            session.release()
        return websocket

    def _session(self, request: web.Request, outlet: Outlet) -> Peer:
        """Return a session that is counted among the open ones, in the dialect of its path."""
        self.counters.accepted += 1
        address = request.remote or ""
        if request.path == _DERIBIT:
            session = Session(
                outlet,
                venue=self.venue,
                publisher=self.publisher,
                counters=self.counters,
                options=self.options,
                gate=self._gate,
                address=address,
            )
            self.sessions[session] = None
            return session
        streams = StreamSession(
            outlet,
            spot=self.spot,
            counters=self.counters,
            options=self.options,
            is_combined=request.path == _COMBINED,
            gate=self._gate,
            address=address,
        )
        self.sessions[streams] = None
        asked = request.query.get("streams", request.match_info.get("streams", ""))
        streams.follow([name for name in asked.split("/") if name])
        return streams

    def _outlet(self, transport: asyncio.Transport, websocket: web.WebSocketResponse) -> Outlet:
        """Return what frames go to: the transport, and before it what was agreed upon."""
        outlet: Outlet = transport
        if self.options.slow_consumer_messages is not None:
            outlet = CountingOutlet(outlet, self.options.slow_consumer_messages)
        window_bits = int(websocket.compress)
        if not window_bits:
            return outlet
        deflater = self._deflaters.setdefault(window_bits, Deflater(window_bits))
        return DeflatingOutlet(outlet, deflater)


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
    exchange = Exchange(options, shard)
    async with exchange.running() as port:
        on_ready(port)
        await stopped.wait()
        if options.shutdown_notice_s:
            await give_notice(exchange.sessions.keys(), options.shutdown_notice_s)
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
