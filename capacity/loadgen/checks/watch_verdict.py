"""Whether the agent watches whom the connections reach, from what it saw of a few and who listens there."""

from dataclasses import dataclass, replace

from capacity.domain.answers.finding import Finding, Status
from capacity.domain.resources import Limit
from capacity.domain.sample import AgentInfo, Destination, PortHolder
from capacity.domain.words import printable
from capacity.planning.evidence.identity.count_gains import LEAST_GAIN_RATIO, Rise
from capacity.planning.evidence.identity.target_identity import (
    not_listening,
    unseen_limits,
    watched,
)

WHOLE_RATIO = 0.9
"""Of the connections opened: an upstream that gets fewer is one of several, and its limit not the
limit of all."""
_SHOWN_LETTERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Holders:
    """Who listens on the target's port, before the connections and while they are open."""

    before: tuple[PortHolder, ...] = ()
    during: tuple[PortHolder, ...] = ()
    is_known: bool = True
    """Whether the source can look who listens."""

    @property
    def is_watched_among(self) -> bool:
        return any(holder.is_watched for holder in self.during)

    def front(self) -> PortHolder | None:
        """Return who listens there and connects to the watched process itself."""
        return next((each for each in self.during if _leads_to_watched(each)), None)

    def stranger(self) -> PortHolder | None:
        """Return who listens there and has nothing to do with the watched process."""
        strangers = [each for each in self.during if not each.is_watched]
        return None if self.is_watched_among or self.front() else next(iter(strangers), None)

    def behind(
        self, opened: int, ratio: float = LEAST_GAIN_RATIO, *, is_watched: bool = False
    ) -> Destination | None:
        """Return whom the watched process connected to for that share of what it accepted, or more.

        Another process, or one of the target itself where *is_watched*.
        """
        before = {
            (holder.pid, to.address, to.port): to.connections
            for holder in self.before
            for to in holder.destinations
        }
        grown = {
            to.connections - before.get((holder.pid, to.address, to.port), 0): to
            for holder in self.during
            if holder.is_watched
            for to in holder.destinations
            if to.is_watched is is_watched
        }
        most = max(grown, default=0)
        return grown[most] if most >= opened * ratio else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What was found, and who passes connections on to the watched process, if anybody does."""

    finding: Finding
    relay: str | None = None
    passes_on_to: str | None = None
    """Where the watched process passes on what it accepts, if it does."""
    limits: tuple[Limit, ...] = ()
    """What they admit by their own configuration."""


def judged(found: Rise, info: AgentInfo, origin: str, port: int, holders: Holders) -> Watch:
    """Return what follows from the rise that *origin* saw, and from who listens on the port."""
    who = f"{origin} watches {watched(info)}"
    front, behind = holders.front(), holders.behind(round(found.opened))
    if found.is_seen and behind is not None:
        named = _named(behind) if behind.name else "process not visible from there"
        place = f"{_place(behind)} ({named})"
        warning = _warning(
            f"{who}, which only relays to {place}: the relay's limits are measured, not those of its"
            " upstream",
            f"Start the agent with --pid {behind.pid or 'PID, on the host of that address,'} to"
            " measure the service, unless the relay is what you want to size",
        )
        is_only_one = holders.behind(round(found.opened), WHOLE_RATIO) is not None
        return replace(warning, passes_on_to=place, limits=behind.limits if is_only_one else ())
    if front is not None:
        relay = f"{_named(front)}, which listens on port {port}"
        shares = "" if found.is_seen else f" and gained {found.statement}"
        warning = _warning(
            f"{who}{shares}; connections come through {relay}, {unseen_limits(front.limits)}",
            f"Measure it as well, with an agent started with --pid {front.pid}: it may saturate first",
        )
        return replace(warning, relay=relay, limits=front.limits)
    if found.is_seen:
        inner = holders.behind(round(found.opened), WHOLE_RATIO, is_watched=True)
        return Watch(
            finding=_finding(Status.OK, f"{watched(info)} gained {found.statement}"),
            limits=() if inner is None else inner.limits,
        )
    return _unseen(found, info, who, port, holders)


def _unseen(found: Rise, info: AgentInfo, who: str, port: int, holders: Holders) -> Watch:
    stranger = holders.stranger()
    if found.is_seen is None and stranger is not None:
        return _warning(
            f"{who}, but {_named(stranger)} listens on port {port}",
            _remedy(port, stranger, info, holders),
        )
    if found.is_seen is None:
        return unknown(f"cannot tell whether {watched(info)} serves port {port}: {found.unknown}")
    if stranger is None and any(gain >= 1.0 for gain in found.gained.values()):
        return _warning(
            f"{who}, which gained {found.statement}: the others went elsewhere",
            "If a load balancer spreads connections over several instances, set host and port to one"
            " of them",
        )
    return Watch(
        finding=_finding(
            Status.FAILURE,
            f"{who}, which gained {found.statement}{_listening(info, port, holders)}",
            _remedy(port, stranger, info, holders),
        )
    )


def _listening(info: AgentInfo, port: int, holders: Holders) -> str:
    if stranger := holders.stranger():
        return f"{not_listening(info, port)}, as {_named(stranger)} does"
    if holders.is_watched_among:
        return f", although it listens on port {port}: they reach another host or instance"
    return not_listening(info, port)


def _remedy(port: int, stranger: PortHolder | None, info: AgentInfo, holders: Holders) -> str:
    if stranger is None:
        host = printable(info.host, _SHOWN_LETTERS)
        nobody = f" (no visible process listens there on {host})" if holders.is_known else ""
        return (
            f"Start `capacity agent --port {port}` on the host that serves the connections{nobody}, or"
            " with --pid of the process that does, and correct agent in the target file"
        )
    through = ""
    if stranger.destinations:
        to = stranger.destinations[0]
        pid = f"--pid {to.pid}, {printable(to.name, _SHOWN_LETTERS)}," if to.pid else "--pid of it"
        where = f"port {to.port}" if to.port else _place(to)
        through = f", or with {pid} if what stands behind it at {where} is meant"
    return (
        f"Start the agent with --pid {stranger.pid} (or --port {port}){through} and correct agent in"
        " the target file"
    )


def unknown(statement: str) -> Watch:
    """Return that it cannot be told, and why."""
    return Watch(finding=_finding(Status.UNKNOWN, statement))


def _leads_to_watched(holder: PortHolder) -> bool:
    return not holder.is_watched and any(to.is_watched for to in holder.destinations)


def _place(to: Destination) -> str:
    return f"{to.address} port {to.port}" if to.port else printable(to.address, _SHOWN_LETTERS)


def _named(process: PortHolder | Destination) -> str:
    return f"{printable(process.name, _SHOWN_LETTERS)} (pid {process.pid})"


def _finding(status: Status, statement: str, remedy: str | None = None) -> Finding:
    return Finding(name="watched process", status=status, statement=statement, remedy=remedy)


def _warning(statement: str, remedy: str) -> Watch:
    return Watch(finding=_finding(Status.WARNING, statement, remedy))
