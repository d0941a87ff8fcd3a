"""An opening that ends well, is refused, is cut off, or does not end."""

from types import SimpleNamespace

import gevent
import pytest

from capacity.loadgen.client.slots.opening_steps import OpeningSteps
from capacity.loadgen.protocol.counters import OPENING_FAILURES

OPENING = SimpleNamespace(refusal=None, is_opening=True)
DONE = SimpleNamespace(refusal=None, is_opening=False)
REFUSED = SimpleNamespace(refusal="bad key", is_opening=True)


def ended(*messages, timeout_s=20.0):
    steps = OpeningSteps()
    for message in messages:
        steps.note(message)
    return gevent.spawn(steps.wait, timeout_s).get(timeout=30)


@pytest.mark.parametrize(
    ("messages", "trouble"),
    [
        ((OPENING, DONE), None),
        ((OPENING, REFUSED), "handshake_opening_refused"),
        ((REFUSED, DONE), "handshake_opening_refused"),
    ],
)
def test_the_first_message_that_ends_it_counts(messages, trouble):
    assert trouble == ended(*messages)


def test_what_does_not_end_is_given_up():
    assert "handshake_opening_timeout" == ended(OPENING, timeout_s=0.01)


@pytest.mark.parametrize(
    ("reason", "closing", "trouble"),
    [
        ("connection_reset", None, "handshake_opening_lost"),
        ("connection_ended", None, "handshake_opening_lost"),
        ("frame_invalid", None, "frame_invalid"),
        ("closed_by_target", (4401, "key"), "handshake_closed_4401"),
    ],
)
def test_a_loss_before_anybody_was_let_in_is_no_loss_of_one_who_was(reason, closing, trouble):
    steps = OpeningSteps()
    steps.note_lost(reason, closing)

    assert trouble == steps.wait(20.0)
    assert trouble.startswith(OPENING_FAILURES) is (reason != "frame_invalid")


@pytest.mark.parametrize(
    ("message", "trouble"),
    [(REFUSED, "handshake_opening_refused"), (DONE, "handshake_closed_4401")],
)
def test_who_is_refused_and_then_cut_off_was_refused_however_both_came(message, trouble):
    steps = OpeningSteps()
    steps.note(message)
    steps.note_lost("closed_by_target", (4401, "key"))

    assert trouble == steps.wait(20.0)
