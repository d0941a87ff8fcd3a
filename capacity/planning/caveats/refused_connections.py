"""Doubts about a target that refused connections, in steps that it held or without its being tried again."""

from collections import Counter
from collections.abc import Iterator

from capacity.domain import units
from capacity.domain.caveats import REFUSED_RATIO, Doubt, DoubtKind
from capacity.domain.run import RunRecord
from capacity.domain.words import UNASKED_ERROR
from capacity.planning.evidence.endings.refused_when_empty import NEWCOMERS
from capacity.planning.evidence.updates import unmatched_example
from capacity.planning.evidence.windows import is_usable

_REFUSALS = (
    *("handshake_rejected_", "handshake_closed_", "handshake_opening_refused"),
    *("connect_reset", "connect_refused"),
)


def refusal_doubts(record: RunRecord) -> Iterator[Doubt]:
    """Yield that a share worth telling was refused at loads that were held, and refusals nobody could tell apart."""
    yield from _of_held_steps(record)
    yield from _untried(record)
    yield from _of_errors(record)


def _of_errors(record: RunRecord) -> Iterator[Doubt]:
    """Yield that open connections were told of errors, as when a login ends."""
    told = sum(step.failures.get("error_told", 0) for step in record.steps if is_usable(step))
    if told:
        yield Doubt(
            kind=DoubtKind.UNMATCHED_FRAMES,
            statement=f"The target sent {units.counted(told, 'error')} that"
            f" {'answers' if told == 1 else 'answer'} no request{unmatched_example(record, UNASKED_ERROR)}: a login"
            " or a subscription may have ended, so that connections get less than they follow.",
            remedy="Look at its words: renew credentials that end within a run, or let them be good for longer; an"
            " error that means nothing stands under ignore of the dialect.",
        )


def _untried(record: RunRecord) -> Iterator[Doubt]:
    for event in record.events:
        if event.kind == NEWCOMERS and not event.detail.get("tried"):
            yield Doubt(
                kind=DoubtKind.REFUSED_CONNECTIONS,
                statement="Refusals ended this run, and whether the target also refuses newcomers when nobody is"
                f" connected is not known: trying them failed ({event.detail.get('reason')}). What refused may be"
                " a ban or a rate limit, and no limit on connections at once.",
                remedy="Find in the target's log why it refused; when it answers again, measure again, with a"
                " lower connects_per_s in the profile.",
            )


def _of_held_steps(record: RunRecord) -> Iterator[Doubt]:
    used = [step for step in record.steps if is_usable(step)]
    refused: Counter[str] = Counter()
    for step in used:
        refused.update(
            {
                reason: count
                for reason, count in step.failures.items()
                if reason.startswith(_REFUSALS)
            }
        )
    opened = max((step.connections_peak for step in used), default=0)
    total = refused.total()
    if not total or total <= REFUSED_RATIO * (total + opened):
        return
    yield Doubt(
        kind=DoubtKind.REFUSED_CONNECTIONS,
        statement=f"The target refused {units.counted(total, 'attempt')} to connect"
        f" ({refused.most_common(1)[0][0]}) in steps of at most {units.counted(opened, 'connection')} that it"
        " held: all were let in when they tried again. What refuses them (load shedding, a rate limit, a"
        " faulty member of a pool) is no resource of this plan, and may refuse more at a higher load.",
        remedy="Find in the target's log and metrics why it refuses, and measure again without it; where it"
        " is the pace, lower connects_per_s in the profile.",
    )
