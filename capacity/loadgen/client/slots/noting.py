"""What one message of the target adds to the counters."""

from collections.abc import Callable

from capacity.domain.words import UNASKED_ERROR
from capacity.loadgen.protocol.counters import Counters
from capacity.workload.reception import Kind, Reception


def note(
    counters: Counters, reception: Reception, without_secrets: Callable[[str], str] = str
) -> None:
    """Count what a message was, and keep *without_secrets* what was wrong with it, or a refusal's words."""
    problem = None if reception.problem is None else without_secrets(reception.problem)
    counters.gaps += reception.missed
    if reception.kind is Kind.DATA:
        counters.deliveries += reception.updates
        counters.untimed += reception.updates if reception.published_at_s is None else 0
        counters.mismatched += reception.mismatched
        counters.unnumbered += reception.updates - reception.numbered
        if problem is not None:
            counters.note_example(problem)
    elif reception.kind is Kind.UNMATCHED:
        counters.note_unmatched(problem or "")
        if (problem or "").startswith(UNASKED_ERROR):
            counters.fail("error_told")
    elif reception.kind is Kind.REJECTED:
        if problem is not None:
            counters.note_said(problem)
        if reception.refused:
            counters.fail("subscribe_rejected", reception.refused)
