"""What was made of a frame, in words."""

import pytest

from capacity.workload.drafting.understood import class_of, verdict
from capacity.workload.reception import HEARTBEAT, IGNORED, Kind, Reception, unmatched

UPDATE = Reception(Kind.DATA, "px.A", 10.0, updates=1, numbered=1)


@pytest.mark.parametrize(
    ("receptions", "words"),
    [
        ((), "nothing in it"),
        ((UPDATE,), "update of px.A, published 250 ms before it came"),
        ((UPDATE._replace(published_at_s=11.0),), "update of px.A, published 750 ms AFTER it came"),
        (
            (UPDATE._replace(missed=2, published_at_s=None),),
            "update of px.A, 2 updates MISSING before it",
        ),
        ((UPDATE._replace(updates=3, published_at_s=None),), "update of px.A, 3 in it"),
        ((Reception(Kind.ACK),), "confirmation"),
        ((Reception(Kind.REJECTED, problem="subscribe: refused"),), "REFUSAL: subscribe: refused"),
        ((HEARTBEAT._replace(replies=(b"x",)),), "heartbeat, answered"),
        ((IGNORED,), "ignored"),
        ((unmatched("not JSON", b"x"),), "NOT UNDERSTOOD: not JSON"),
        ((unmatched("no rule for", b"x"),), "NOT UNDERSTOOD: no rule fits"),
        ((UPDATE, UPDATE), "2 messages: update of px.A"),
    ],
)
def test_each_kind_has_its_words(receptions, words):
    assert words == verdict(receptions, 10.25)


def test_problems_are_counted_by_class():
    assert ("no rule fits", "x") == class_of(unmatched("no rule for", b"x"))
    assert "sequence" == class_of(UPDATE._replace(problem="the sequence went back from 2 to 1"))[0]
    assert "refused subscribe" == class_of(Reception(Kind.REJECTED, problem="subscribe: no"))[0]
