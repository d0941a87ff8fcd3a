import gevent
import pytest

from capacity.loadgen.master.closing import Closing
from capacity.loadgen.master.run_endings import stopped, without_workers


def test_a_record_is_closed_once_and_the_first_ending_counts():
    closed = []
    closing = Closing(lambda kind, detail: closed.append((kind, detail["exit_code"])))
    before = (closing.ending, closing.is_over, closing.exit_code)
    closing.begin(without_workers("nothing is known of it"))
    closing.begin(stopped())

    assert (None, False, 0) == before
    assert [("aborted", 5)] == closed
    assert (without_workers("nothing is known of it"), True, 5) == (
        closing.ending,
        closing.is_over,
        closing.exit_code,
    )


def test_who_comes_later_waits_until_the_record_is_closed():
    door = gevent.event.Event()
    closing = Closing(lambda _kind, _detail: door.wait())
    first = gevent.spawn(closing.begin, stopped())
    gevent.sleep(0)
    second = gevent.spawn(closing.begin, stopped())
    gevent.sleep(0)
    waiting = (closing.is_over, second.dead)
    door.set()
    gevent.joinall([first, second], timeout=10)

    assert (False, False) == waiting
    assert (True, True) == (closing.is_over, second.dead)


def test_who_asked_may_be_killed_and_the_record_is_closed_all_the_same():
    door = gevent.event.Event()
    closing = Closing(lambda _kind, _detail: door.wait())
    first = gevent.spawn(closing.begin, stopped())
    gevent.sleep(0)
    first.kill()
    door.set()
    closing.begin(without_workers("nothing is known of it"))

    assert closing.is_over
    assert 130 == closing.exit_code


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_record_that_cannot_be_closed_ends_the_run_too():
    def fail(_kind, _detail):
        raise OSError

    closing = Closing(fail)
    closing.begin(stopped())

    assert closing.is_over
