import pytest

from capacity.delivery.retrying import LONGEST_PAUSE_S, retried
from capacity.domain.errors import ConfigError, NotDeliveredError


class Line:
    """A receiver that answers after some failures, and a clock that only its pauses move."""

    def __init__(self, failures, error=NotDeliveredError):
        self.failures, self.error = failures, error
        self.now_s, self.pauses = 100.0, []

    def call(self):
        if self.failures:
            self.failures -= 1
            raise self.error("nobody answers")
        return "taken"

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now_s += seconds

    def retried(self, deadline_s):
        return retried(
            self.call, deadline_s=deadline_s, clock_s=lambda: self.now_s, sleep=self.sleep
        )


def test_what_gets_through_at_once_waits_for_nothing():
    line = Line(0)

    assert line.retried(60.0) == "taken"
    assert line.pauses == []


def test_pauses_double_up_to_the_longest():
    line = Line(7)

    assert line.retried(600.0) == "taken"
    assert line.pauses == [1.0, 2.0, 4.0, 8.0, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


@pytest.mark.parametrize(("deadline_s", "tries"), [(3.0, "2 tries"), (3.1, "3 tries")])
def test_no_try_begins_at_the_deadline_or_behind_it(deadline_s, tries):
    line = Line(99)
    with pytest.raises(NotDeliveredError) as error:
        line.retried(deadline_s)

    assert str(error.value) == f"nobody answers; given up after {tries}"
    assert line.now_s < 100.0 + deadline_s


def test_what_no_other_try_would_mend_is_not_tried_again():
    line = Line(1, ConfigError)
    with pytest.raises(ConfigError):
        line.retried(60.0)

    assert line.pauses == []
