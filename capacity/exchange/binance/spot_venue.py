"""The exchange's perpetuals as Binance's spot symbols, and who follows which stream of them."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol

import orjson

from capacity.exchange.binance.recent_trades import RecentTrades
from capacity.exchange.binance.stream_contents import stream_content
from capacity.exchange.binance.streams import Stream, parsed_stream, symbol_of
from capacity.exchange.frames import payload_of, text_frame
from capacity.exchange.market.market import Market
from capacity.exchange.market.publisher import Publisher


class StreamFollower(Protocol):
    is_combined: bool
    """Whether each update comes along with the name of its stream."""

    def tell(self, stream: str, frame: bytes) -> None: ...


class _Followers:
    """Those of one stream, of either form: an update has the same numbers for all of them."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.followers: dict[StreamFollower, None] = {}
        self._head = b'{"stream":%b,"data":' % orjson.dumps(stream.name)

    def deliver(self, frame: bytes) -> None:
        name, combined = self.stream.name, b""
        for follower in self.followers:
            if not follower.is_combined:
                follower.tell(name, frame)
                continue
            combined = combined or text_frame(b"%b%b}" % (self._head, payload_of(frame) or b""))
            follower.tell(name, combined)


class SpotVenue:
    def __init__(self, markets: Mapping[str, Market], publisher: Publisher) -> None:
        """Offer those of *markets*, by Deribit's names, that have a symbol."""
        symbols = {name: symbol_of(name) for name in markets}
        self.markets = {symbol: markets[name] for name, symbol in symbols.items() if symbol}
        """By symbol."""
        self._publisher = publisher
        self._streams: dict[str, _Followers] = {}
        self._recent: dict[str, RecentTrades] = {}

    def offered(self, name: str) -> Stream | None:
        """Return the stream called *name*, if it is of a symbol that is listed."""
        stream = parsed_stream(name)
        return stream if stream is not None and stream.symbol in self.markets else None

    def follow(self, stream: Stream, follower: StreamFollower) -> None:
        known = self._streams.get(stream.name)
        if known is None:
            known = self._streams[stream.name] = _Followers(stream)
            self._publisher.follow(stream, lambda market: stream_content(stream, market), known)
        known.followers[follower] = None

    def leave(self, name: str, follower: StreamFollower) -> None:
        """Undo `follow`; a stream that nobody follows costs nothing."""
        known = self._streams[name]
        del known.followers[follower]
        if not known.followers:
            del self._streams[name]
            self._publisher.leave(known.stream.instrument, name, known)

    def recent_trades(self, symbol: str) -> deque[dict[str, Any]]:
        """Return the trades since this was first asked for, the oldest first; at least the last one."""
        known = self._recent.get(symbol)
        if known is None:
            known = self._recent[symbol] = RecentTrades(self.markets[symbol], symbol)
            self._publisher.follow(known, lambda _: known, known)
        return known.trades
