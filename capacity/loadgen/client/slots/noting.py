"""What one message of the target adds to the counters."""

from capacity.loadgen.protocol.counters import Counters
from capacity.workload.reception import Kind, Reception


def note(counters: Counters, reception: Reception) -> None:
    """Count what a message was, and keep an example of what was wrong with it, or the words of a refusal."""
    counters.gaps += reception.missed
    if reception.kind is Kind.DATA:
        counters.deliveries += reception.updates
        counters.untimed += reception.updates if reception.published_at_s is None else 0
        counters.mismatched += reception.mismatched
        counters.unnumbered += reception.updates - reception.numbered
        if reception.problem is not None:
            counters.note_example(reception.problem)
    elif reception.kind is Kind.UNMATCHED:
        counters.note_unmatched(reception.problem or "")
    elif reception.kind is Kind.REJECTED:
        if reception.problem is not None:
            counters.note_said(reception.problem)
        if reception.refused:
            counters.fail("subscribe_rejected", reception.refused)
