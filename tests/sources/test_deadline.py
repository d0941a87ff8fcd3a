import threading

import pytest

from capacity.sources.deadline import LateError, within


def test_what_the_call_returns_or_raises_comes_through():
    def fail():
        raise KeyError("told")

    assert 3 == within(60, lambda: 3, give_up=fail)
    with pytest.raises(KeyError, match="told"):
        within(60, fail, give_up=fail)


def test_nothing_is_a_result_too():
    assert within(60, lambda: None, give_up=lambda: None) is None


def test_who_waits_leaves_at_the_deadline_and_ends_what_was_waited_for():
    end = threading.Event()
    with pytest.raises(LateError, match="no end within 0 s"):
        within(0.05, end.wait, give_up=end.set)

    assert end.is_set()
