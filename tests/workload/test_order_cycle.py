"""The order of a trader's requests, whatever becomes of them."""

import pytest

from capacity.workload.order_cycle import OrderCycle, Outcome

ANSWERED, REFUSED, UNKNOWN, NOT_SENT = Outcome


def operations(*outcomes):
    cycle, seen = OrderCycle(), []
    for outcome in outcomes:
        seen.append(cycle.operation)
        cycle.note(outcome)
    return [*seen, cycle.operation]


def test_what_is_answered_goes_round():
    assert operations(*[ANSWERED] * 4) == ["place", "amend", "balance", "cancel", "place"]


@pytest.mark.parametrize("outcome", [REFUSED, UNKNOWN])
def test_without_an_order_there_is_nothing_to_amend_or_cancel(outcome):
    assert operations(outcome, ANSWERED) == ["place", "balance", "place"]


def test_what_was_not_sent_is_placed_again():
    assert operations(NOT_SENT, ANSWERED) == ["place", "place", "amend"]


@pytest.mark.parametrize("outcome", [REFUSED, UNKNOWN, NOT_SENT])
def test_an_order_that_could_not_be_amended_is_cancelled(outcome):
    assert operations(ANSWERED, outcome, ANSWERED) == ["place", "amend", "balance", "cancel"]


@pytest.mark.parametrize("outcome", [UNKNOWN, NOT_SENT])
def test_a_trader_cancels_until_it_is_told(outcome):
    seen = operations(ANSWERED, ANSWERED, ANSWERED, outcome, outcome, REFUSED)

    assert seen[3:] == ["cancel", "cancel", "cancel", "place"]
