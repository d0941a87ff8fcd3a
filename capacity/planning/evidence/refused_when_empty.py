"""
Whether the target refused newcomers although nobody of the run was connected any more.

What refuses then is no limit on connections at once: it bans a client, counts its connects over time, or
sheds newcomers by chance. At how many connections it began says nothing of how many the target holds.
"""

from typing import Any

from capacity.domain.observation import CutOffKind
from capacity.domain.run import RunRecord
from capacity.planning.evidence.missing_evidence import Gap

NEWCOMERS = "newcomers"
"""Event of a run that refusals ended: how many newcomers were tried without load, and refused.

None tried: they failed for another reason.
"""

REFUSED_LOGIN = "refused_login"
"""Event of a run: the first refusal of one client's login, with the client's number and the row of its values."""

_BY_REFUSALS = frozenset({CutOffKind.REFUSED, CutOffKind.NOT_REACHED})


def refused_when_empty(record: RunRecord) -> Gap | None:
    """Return that the refusals which ended the run are no limit on connections, if newcomers showed it."""
    asked = next((event.detail for event in record.events if event.kind == NEWCOMERS), None)
    tried, refused = _count(asked, "tried"), _count(asked, "refused")
    ended = (step.cut_off for step in reversed(record.steps))
    cut = next((cut for cut in ended if cut is not None and cut.kind in _BY_REFUSALS), None)
    if cut is None or not 0 < refused <= tried:
        return None
    client = asked.get("client") if asked is not None else None
    if isinstance(client, int):
        return Gap(
            f"{cut.statement}. When the load was off, the login of client {client + 1} was still refused,"
            f" {refused} times: for its credentials, or because it logged in too often, which is no limit on"
            " connections at once.",
            f"Correct what values of the target file gives that client (row {client + 1}, where it comes from"
            " rows; private.values for a private connection), or wait until it may log in again, and measure"
            " again.",
        )
    reason = asked.get("reason") if asked is not None else None
    seen = (
        f"When the load was off, the target still refused {refused} of {tried} newcomers ({reason}), one at a"
        " time"
    )
    if refused == tried:
        return Gap(
            f"{cut.statement}. {seen}: it bans this client or counts its connects over time, which is no limit"
            " on connections at once.",
            "Wait until the ban is over, have the target exempt the generator or set source_addresses in the"
            " target file (fail2ban, a firewall or a proxy may be what bans), lower connects_per_s in the"
            " profile, and measure again.",
        )
    return Gap(
        f"{cut.statement}. {seen}: it sheds newcomers by chance or by their pace, at any number of connections,"
        " which is no limit on connections at once.",
        "Find in the target's log and metrics why it sheds (load shedding by latency, CPU or queue, a faulty"
        " member of a pool, a rate limit); then measure again, with a lower connects_per_s in the profile"
        " where it is the pace.",
    )


def _count(detail: Any, key: str) -> int:
    number = detail.get(key) if detail is not None else None
    return number if isinstance(number, int) else 0
