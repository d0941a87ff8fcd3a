"""
Whether connections went without updates because their logins had ended.

Who is refused a subscription for that, or is told so on an open connection, hears nothing from then on, while those
that logged in later are served: at how many connections that shows depends on when it was, and on no limit.
"""

from collections.abc import Iterator

from capacity.domain.observation import CutOffKind
from capacity.domain.run import RunRecord
from capacity.domain.words import UNASKED_ERROR, printable, says_login_ended
from capacity.planning.evidence.endings.client_rule import TARGET_SAID
from capacity.planning.evidence.missing_evidence import Gap
from capacity.planning.evidence.updates import UNMATCHED_FRAME

_FAILURES = ("subscribe_rejected", "error_told")
_BY_SILENCE = frozenset({CutOffKind.UNSERVED, CutOffKind.SATURATED})
_SHOWN_LETTERS = 160


def ended_logins(record: RunRecord) -> Gap | None:
    """Return that the run ended by connections whose logins had ended, if the target says so."""
    ended = (step.cut_off for step in record.steps)
    cut = next((cut for cut in ended if cut is not None and cut.kind in _BY_SILENCE), None)
    told = sum(step.failures.get(reason, 0) for step in record.steps for reason in _FAILURES)
    said = next((text for text in _said(record) if says_login_ended(text)), None)
    if cut is None or not told or said is None:
        return None
    return Gap(
        f"{cut.statement}. The target said to connections that were open: {printable(said, _SHOWN_LETTERS)}. Their"
        " logins had ended, which is no limit on connections at once.",
        "Give values that are good for longer than a run lasts, or have them asked for before each connect"
        " (operation in values of the target file) and replace connections in time (churn_per_s_per_connection of"
        " the profile), and measure again.",
    )


def _said(record: RunRecord) -> Iterator[str]:
    """Yield what the target said of subscriptions, and of errors that answer nothing."""
    for event in record.events:
        text = event.detail.get("text" if event.kind == TARGET_SAID else "reason")
        if not isinstance(text, str):
            continue
        if event.kind == TARGET_SAID and "subscribe: " in text:
            yield text
        if event.kind == UNMATCHED_FRAME and UNASKED_ERROR in text:
            yield text
