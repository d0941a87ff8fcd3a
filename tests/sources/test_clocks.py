import time

import pytest

from capacity.sources.clocks import least_error_offset, offset_between


def test_a_clock_was_read_at_some_time_between_question_and_answer():
    offset = offset_between(10.0, 14.0, 12.0, tick_s=0.25)

    assert (3.0, 1.25) == (offset.offset_s, offset.error_s)


def test_the_quickest_of_several_answers_counts(monkeypatch):
    """Round trips of 4, 1 and 2 s, each answered by a clock that is ahead by another time."""
    ours = iter((0.0, 4.0, 10.0, 11.0, 20.0, 22.0))
    theirs = iter((9.0, 13.5, 28.0))
    monkeypatch.setattr(time, "time", lambda: next(ours))
    offset = least_error_offset(lambda: next(theirs), 3)

    assert (pytest.approx(3.0), 0.5) == (offset.offset_s, offset.error_s)
