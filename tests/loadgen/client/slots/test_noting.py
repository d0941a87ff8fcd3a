"""Each kind of message adds to its own counts, and to no other."""

import pytest

from capacity.domain.words import UNASKED_ERROR
from capacity.loadgen.client.slots.noting import note
from capacity.loadgen.protocol.counters import Counters
from capacity.workload.reception import HEARTBEAT, Kind, Reception, unmatched


@pytest.mark.parametrize(
    ("reception", "counts"),
    [
        (
            Reception(Kind.DATA, "a", 1.0, 2, (), None, 3, 3),
            {"deliveries": 3, "gaps": 2},
        ),
        (
            Reception(Kind.DATA, "a", None, 0, (), "odd", 2, 1),
            {"deliveries": 2, "untimed": 2, "unnumbered": 1},
        ),
        (
            Reception(Kind.DATA, "a", 1.0, 1, (), "odd", 1, 1, mismatched=1),
            {"deliveries": 1, "gaps": 1, "mismatched": 1},
        ),
        (unmatched("no rule for", b"x"), {"unmatched": 1}),
        (Reception(Kind.REJECTED, problem="no", refused=2), {}),
        (HEARTBEAT, {}),
        (HEARTBEAT._replace(missed=2), {"gaps": 2}),
    ],
)
def test_a_message_adds_to_what_it_is(reception, counts):
    counters = Counters()
    note(counters, reception)

    names = ("deliveries", "gaps", "mismatched", "untimed", "unnumbered", "unmatched")
    assert {name: getattr(counters, name) for name in names if getattr(counters, name)} == counts
    assert counters.failures == (
        {"subscribe_rejected": reception.refused} if reception.refused else {}
    )
    is_refusal = reception.kind is Kind.REJECTED
    told = [reception.problem] if reception.problem else []
    assert (counters.said, counters.examples) == ((told, []) if is_refusal else ([], told))


@pytest.mark.parametrize(
    ("why", "failures"), [("no rule for", {}), (UNASKED_ERROR, {"error_told": 1})]
)
def test_an_error_that_answers_no_request_is_a_failure_as_well(why, failures):
    counters = Counters()
    note(counters, unmatched(why, b"{}"))

    assert (1, failures) == (counters.unmatched, counters.failures)
