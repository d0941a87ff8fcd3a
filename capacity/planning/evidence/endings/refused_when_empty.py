"""
Whether the target refused newcomers although nobody of the run was connected any more.

What refuses then is no limit on connections at once: it bans a client, counts its connects over time, or
sheds newcomers by chance. At how many connections it began says nothing of how many the target holds.
"""

from typing import Any

from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.run import RunRecord
from capacity.domain.words import printable, says_too_fast
from capacity.planning.evidence.missing_evidence import Gap

NEWCOMERS = "newcomers"
"""Event of a run that refusals ended: how many newcomers were tried without load, and refused.

None tried: they failed for another reason.
"""

REFUSED_LOGIN = "refused_login"
"""Event of a run: the first refusal of one client's login, with the client's number and the row of its values."""

_SHOWN, _SHOWN_LETTERS = 2, 160
_BY_REFUSALS = frozenset({CutOffKind.REFUSED, CutOffKind.NOT_REACHED})


def refused_when_empty(record: RunRecord) -> Gap | None:
    """Return that the refusals which ended the run are no limit on connections, if newcomers showed it."""
    asked = next((event.detail for event in record.events if event.kind == NEWCOMERS), None)
    tried, refused = _count(asked, "tried"), _count(asked, "refused")
    client = asked.get("client") if asked is not None else None
    kinds = {*_BY_REFUSALS, CutOffKind.LOST} if isinstance(client, int) else _BY_REFUSALS
    ended = (step.cut_off for step in reversed(record.steps))
    cut = next((cut for cut in ended if cut is not None and cut.kind in kinds), None)
    if cut is None:
        return None
    if isinstance(client, int):
        return _of_logins(record, cut, client, tried=tried, refused=refused)
    if not 0 < refused <= tried:
        return None
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


def _of_logins(
    record: RunRecord, cut: CutOff, client: int, *, tried: int, refused: int
) -> Gap | None:
    """Return that logins were refused for what no limit on connections is."""
    said = _too_often(record) if cut.kind in _BY_REFUSALS else None
    seen = None if said is None else f'The target said: "{said}"'
    if seen is None and 0 < refused < tried:
        seen = f"When the load was off, {refused} of {tried} logins, one after the other, were still refused"
    if seen is not None:
        return Gap(
            f"{cut.statement}. {seen}: it counts how often clients log in, which is no limit on connections at"
            " once.",
            "Lower connects_per_s in the profile to what the target lets log in (of several connections of a"
            " client one logs in), and measure again.",
        )
    if not 0 < refused <= tried:
        return None
    return Gap(
        f"{cut.statement}. When the load was off, the login of client {client + 1} was still refused,"
        f" {refused} times: for its credentials, which are wrong or have ended, or because it logged in too"
        f" often, which is no limit on connections at once.{_words(record)}",
        f"Correct or renew what values of the target file gives that client (row {client + 1}, where it comes"
        " from rows; private.values for a private connection), or wait until it may log in again, and measure"
        " again; what is good for less than a run lasts is asked for before each connect by operation in values.",
    )


def _said(record: RunRecord) -> list[str]:
    """Return what the target said of logins and of connections that it ended, one text after the other."""
    texts = (event.detail.get("text") for event in record.events if event.kind == "target_said")
    return [text for text in texts if isinstance(text, str)]


def _too_often(record: RunRecord) -> str | None:
    """Return the words by which a refused login came too often, if they say so."""
    texts = (text for text in _said(record) if "opening " in text)
    return next((printable(text, _SHOWN_LETTERS) for text in texts if says_too_fast(text)), None)


def _words(record: RunRecord) -> str:
    said = [printable(text, _SHOWN_LETTERS) for text in _said(record)[:_SHOWN]]
    return f" It said: {' and '.join(said)}." if said else ""


def _count(detail: Any, key: str) -> int:
    number = detail.get(key) if detail is not None else None
    return number if isinstance(number, int) else 0
