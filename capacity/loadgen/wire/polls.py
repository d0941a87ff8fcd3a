"""The polls that a target file asks for, and the connections that they are made on."""

from collections.abc import Iterator

from capacity.loadgen.wire.endpoint import Endpoint
from capacity.loadgen.wire.http_connection import HttpConnection
from capacity.loadgen.wire.memory_budget import MemoryBudget
from capacity.settings.target import Target
from capacity.workload.dialect import Dialect
from capacity.workload.poll import Poll, poll_of


def polls_of(target: Target, dialect: Dialect) -> tuple[Poll, ...]:
    """Return the target's REST request for each symbol in turn; none without a rest section."""
    rest = target.rest
    if rest is None:
        return ()
    return tuple(
        poll_of(
            dialect,
            rest.operation,
            host=target.host,
            port=target.port,
            tls=target.tls,
            symbol=symbol,
            is_kept=rest.connections == "keep_alive",
        )
        for symbol in target.symbols or ("",)
    )


def poll_connection(
    target: Target,
    dialect: Dialect,
    poll: Poll,
    sources: Iterator[str | None],
    timeout_s: float,
    *,
    budget: MemoryBudget | None = None,
) -> HttpConnection:
    """Return one poller's connection, not yet open; it leaves from the next of *sources* each time."""
    assert target.rest is not None

    def endpoint() -> Endpoint:
        return Endpoint(
            url=poll.url,
            timeout_s=dialect.ws.open_timeout_s,
            source_address=next(sources),
            certificates=target.certificates,
            proxy=target.proxy,
        )

    return HttpConnection(
        endpoint,
        is_kept=target.rest.connections == "keep_alive",
        max_answer_bytes=dialect.ws.max_message_bytes,
        timeout_s=timeout_s,
        budget=budget,
    )
