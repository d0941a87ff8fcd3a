"""One story for each pair of a server and a dialect: the same counts on both sides, or what differs."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from environments import UnavailableError
from our_client import settled, subscribed
from servers import SERVERS, own_count_reaches, started

CONNECTIONS = 5
UPDATES = 200


@dataclass(kw_only=True)
class Outcome:
    """What came of one story."""

    kind: str
    """server or referee."""
    name: str
    version: str = ""
    dialect: str = ""
    verdict: str
    """agrees, differs, unavailable, or not tried."""
    told: str
    """The numbers, or why there are none."""

    def row(self) -> dict[str, str]:
        return asdict(self)


def server_outcomes(
    name: str, connections: int = CONNECTIONS, updates: int = UPDATES
) -> Iterator[Outcome]:
    """Yield what comes of each dialect of one server; *name* is one of SERVERS."""
    dialects = SERVERS[name].dialects
    try:
        with started(name) as server:
            for dialect in dialects:
                yield _compared(name, server, dialect, connections, updates)
    except (UnavailableError, TimeoutError) as error:
        yield Outcome(
            kind="server",
            name=name,
            dialect=", ".join(dialects),
            verdict="unavailable" if isinstance(error, UnavailableError) else "differs",
            told=str(error) or "not confirmed in time",
        )


def _compared(name, server, dialect, connections, updates):
    """Follow the server's channel by that many connections, have it publish, and lay counts side by side."""
    before = server.own_count(dialect)
    with subscribed(server.place(dialect), connections) as clients:
        server.settle(connections)
        server.publish(range(1, updates // 2 + 1))
        # What is left out here nobody ever sees: it is a gap for each that follows.
        server.publish(range(updates // 2 + 4, updates + 4))
        due = connections * updates
        ours = settled(clients, due)
        theirs = own_count_reaches(server, dialect, before + due) - before
    expected = {
        "deliveries": theirs,
        "gaps": 3 * connections,
        "lost": 0,
        "unmatched": 0,
        "unnumbered": 0,
    }
    told = f"{theirs} sent by its own count, {ours['deliveries']} received; {ours['gaps']} of {3 * connections} planted gaps"
    extra = {key: ours[key] for key in ("lost", "unmatched", "unnumbered") if ours[key]}
    return Outcome(
        kind="server",
        name=name,
        version=server.version,
        dialect=dialect,
        verdict="agrees" if ours == expected and theirs == due else "differs",
        told=told + (f"; {extra}" if extra else ""),
    )
