"""An opening that ends well, is refused, is cut off, or does not end."""

from types import SimpleNamespace

import gevent
import pytest

from capacity.loadgen.client.slots.opening_steps import OpeningSteps

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
    ("closing", "trouble"), [(None, "reset"), ((4401, "key"), "handshake_closed_4401")]
)
def test_a_loss_ends_it_with_what_the_target_said(closing, trouble):
    steps = OpeningSteps()
    steps.note_lost("reset", closing)

    assert trouble == steps.wait(20.0)
