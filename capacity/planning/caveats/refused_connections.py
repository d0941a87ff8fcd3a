"""Doubts about a target that refused connections in steps that it held: they came in when they tried again."""

from collections import Counter
from collections.abc import Iterator

from capacity.domain import units
from capacity.domain.caveats import REFUSED_RATIO, Doubt, DoubtKind
from capacity.domain.run import RunRecord
from capacity.planning.evidence.windows import is_usable

_REFUSALS = ("handshake_rejected_", "handshake_closed_", "connect_reset", "connect_refused")


def refusal_doubts(record: RunRecord) -> Iterator[Doubt]:
    """Yield that the target refused a share of newcomers worth telling, at loads that it held."""
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
