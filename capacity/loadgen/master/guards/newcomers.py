"""
Whether a target that refused connections lets newcomers in when nobody of the run is connected any more.

A limit on connections held at once does: the others have left. A ban, a count of connects over time, and
a target that refuses some of all newcomers by chance do not, and no such refusal tells how many it holds.
Nor does a login that is refused for its credentials, which may have ended in the midst of a run, or because clients
log in too often: who was refused is tried with its own, and then others.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import gevent

from capacity.domain.errors import CapacityError
from capacity.domain.observation import CutOffKind, StepObservation
from capacity.domain.words import printable
from capacity.loadgen.checks.trial import is_login_refused
from capacity.loadgen.protocol.counters import LOGIN_REFUSED
from capacity.loadgen.wire.connection_values import ConnectionValues
from capacity.loadgen.wire.endpoint import endpoint_of
from capacity.loadgen.wire.handshake import HandshakeError
from capacity.loadgen.wire.streams.opener import open_connection
from capacity.planning.evidence.endings.refused_when_empty import NEWCOMERS, REFUSED_LOGIN
from capacity.settings.target import Target
from capacity.settings.values import row_of
from capacity.workload.dialects.address import channels_of
from capacity.workload.dialects.dialect import Dialect

REJECTIONS = (
    "handshake_rejected_",
    "handshake_closed_",
    "handshake_value_rejected_",
    "connect_reset",
)
"""Reasons by which somebody refuses who could as well have let in: not those of whom nobody answers."""
FIRST_TRIES, FIRST_EVERY_S = 6, 1.0
"""Those that have left may be noticed late."""
MORE_TRIES, MORE_EVERY_S = 10, 0.25
"""Of a target that refuses one of five newcomers, one of ten such trials sees none refused."""
ANSWER_S = 2.0
MOST_TOLD = 10
"""Clients of a run whose login was refused."""
_REASON_LETTERS = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomers:
    """What became of newcomers, one after the other, while nobody else was connected."""

    tried: int
    """Since the first that was let in; all of them where none was. 0 where one failed that nobody refused:
    whether the target refuses newcomers is not known then."""
    refused: int
    reason: str | None
    """Of the last refusal that counts, or why they could not be tried."""
    client: int | None = None
    """Number of the client that logged in first, as it was refused before, and each time where all were refused;
    None where nobody had to."""


class RefusedClients:
    """Who was refused in each step, to be tried again when the load is off."""

    def __init__(self, target: Target, dialect: Dialect, private: Dialect | None) -> None:
        """Take what public connections speak, and *private* ones, if there are any."""
        self._target, self._dialect, self._private = target, dialect, private
        self._logins: dict[int, tuple[bool, int]] = {}
        """Step -> whether a login was private that was refused in it, and its client's number."""
        self._told: set[tuple[bool, int]] = set()

    def note(self, report: Mapping[str, Any], tell: Callable[..., None]) -> None:
        """Take the report of a worker; *tell* of a few clients when their login is refused first."""
        private = (report.get("private") or {}).get("refused_logins", ())
        logins = (
            *((True, number) for number in private),
            *((False, number) for number in report.get("refused_logins", ())),
        )
        for login in logins[:1]:
            self._logins.setdefault(report["index"], login)
        new = [each for each in logins if each not in self._told][: MOST_TOLD - len(self._told)]
        self._told.update(new)
        for is_private, client in new:
            target = self._target.privately() if is_private else self._target
            tell(REFUSED_LOGIN, client=client, row=row_of(target.values, client))

    def tried(
        self,
        closed: StepObservation,
        per_s: float,
        sleep: Callable[[float], None] = gevent.sleep,
    ) -> Newcomers | None:
        """Return what became of newcomers after a step that refusals ended; None after another.

        The step's connections were opened at *per_s*.
        """
        if was_refused(closed) and not _most_of(closed).startswith(LOGIN_REFUSED):
            return try_newcomers(self._target, self._dialect, sleep)
        login = self._logins.get(closed.index)
        if was_refused(closed):
            return self._tried_login(closed, login or (False, 0), per_s, sleep)
        if not _was_lost(closed) or (login is None and not self._logs_in):
            return None
        lost = login or (self._private is not None, 0)
        seen = self._tried_login(closed, lost, per_s, sleep)
        return seen if seen.tried else None

    def _tried_login(
        self,
        closed: StepObservation,
        login: tuple[bool, int],
        per_s: float,
        sleep: Callable[[float], None],
    ) -> Newcomers:
        (is_private, client), clients, every_s = login, closed.step.connections, 1.0 / per_s
        target, dialect = self._target, self._dialect
        if is_private:
            assert self._private is not None
            each = target.connections_per_client
            clients, every_s = clients // each, every_s * each
            target, dialect = target.privately(), self._private
        return try_login(target, dialect, client, sleep, clients=clients, every_s=every_s)

    def tell_newcomers(
        self, closed: StepObservation, per_s: float, tell: Callable[..., None]
    ) -> None:
        """*Tell* what became of them, if there were any."""
        if (seen := self.tried(closed, per_s)) is not None:
            tell(NEWCOMERS, **asdict(seen))

    @property
    def _logs_in(self) -> bool:
        """Whether who was lost has to log in again."""
        dialect = self._private or self._dialect
        return any(step.answer is not None and step.send is not None for step in dialect.opening)


def was_refused(step: StepObservation) -> bool:
    """Tell whether a step ended because most of those who tried were turned away."""
    if step.cut_off is None or step.cut_off.kind not in {
        CutOffKind.REFUSED,
        CutOffKind.NOT_REACHED,
    }:
        return False
    return _most_of(step).startswith((*REJECTIONS, LOGIN_REFUSED))


def _was_lost(step: StepObservation) -> bool:
    """Tell whether a step ended because the target let go of connections, perhaps as their logins had ended."""
    return step.cut_off is not None and step.cut_off.kind is CutOffKind.LOST


def _most_of(step: StepObservation) -> str:
    return max(step.failures, key=lambda reason: step.failures[reason], default="")


def try_newcomers(
    target: Target, dialect: Dialect, sleep: Callable[[float], None] = gevent.sleep
) -> Newcomers:
    """Connect one by one, each leaving at once."""
    first: str | None = None
    for _ in range(FIRST_TRIES):
        sleep(FIRST_EVERY_S)
        first = _refusal(target, dialect)
        if first is None:
            break
        if not first.startswith(REJECTIONS):
            return _untried(first)
    else:
        return Newcomers(tried=FIRST_TRIES, refused=FIRST_TRIES, reason=first)
    reasons = []
    for _ in range(MORE_TRIES):
        sleep(MORE_EVERY_S)
        reasons.append(_refusal(target, dialect))
    refusals = [reason for reason in reasons if reason is not None]
    if others := [reason for reason in refusals if not reason.startswith(REJECTIONS)]:
        return _untried(others[0])
    return Newcomers(
        tried=MORE_TRIES, refused=len(refusals), reason=refusals[-1] if refusals else None
    )


def try_login(
    target: Target,
    dialect: Dialect,
    client: int,
    sleep: Callable[[float], None] = gevent.sleep,
    *,
    clients: int = 1,
    every_s: float = MORE_EVERY_S,
) -> Newcomers:
    """Log in as one *client* until it is let in, then as others of so many *clients*, each leaving at once.

    Who is refused then comes too often: they follow each other in *every_s*, as in the run, and nobody else is there.
    """
    try:
        for _ in range(FIRST_TRIES):
            sleep(FIRST_EVERY_S)
            if not is_login_refused(target, dialect, client):
                break
        else:
            return Newcomers(
                tried=FIRST_TRIES, refused=FIRST_TRIES, reason=LOGIN_REFUSED, client=client
            )
        refused = 0
        for n in range(1, MORE_TRIES + 1):
            sleep(min(every_s, FIRST_EVERY_S))
            refused += is_login_refused(target, dialect, (client + n) % max(1, clients))
    except CapacityError as error:
        return _untried(printable(str(error), _REASON_LETTERS), client)
    reason = LOGIN_REFUSED if refused else None
    return Newcomers(tried=MORE_TRIES, refused=refused, reason=reason, client=client)


def _untried(reason: str, client: int | None = None) -> Newcomers:
    return Newcomers(tried=0, refused=0, reason=reason, client=client)


def _refusal(target: Target, dialect: Dialect) -> str | None:
    """Return why one connection was not opened; None where it was."""
    channels = channels_of(dialect, 0, target.channels, target.symbols, 1)
    try:
        values = ConnectionValues(target, dialect, itertools.repeat(None)).of(0)
        endpoint = endpoint_of(target, dialect, channels, values=values)
        opened = open_connection(replace(endpoint, timeout_s=min(endpoint.timeout_s, ANSWER_S)))
    except (HandshakeError, CapacityError) as error:
        return str(error)
    opened.socket.close()
    return None
