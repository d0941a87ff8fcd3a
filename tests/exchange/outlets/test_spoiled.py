import pytest

from capacity.exchange.counters import Counters
from capacity.exchange.frames import text_frame
from capacity.exchange.outlets.spoiled import SpoiledOutlet, channel_of

BOOK, TICKER = "book.A.raw", "ticker.A.raw"


class Wire:
    """Keeps what it is told."""

    def __init__(self):
        self.frames, self.is_closed = [], False

    def write(self, frame):
        self.frames.append(frame)

    def get_write_buffer_size(self):
        return 7

    def is_closing(self):
        return self.is_closed

    def close(self):
        self.is_closed = True

    abort = close


def update(channel, number):
    return text_frame(
        b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"%b","data":%d}}'
        % (channel.encode(), number)
    )


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def counters():
    return Counters(deliveries=100)


@pytest.fixture
def outlet(wire, counters):
    return SpoiledOutlet(wire, counters)


def test_what_no_fault_is_about_passes(outlet, wire, counters):
    answer = text_frame(b'{"jsonrpc":"2.0","id":1,"result":"ok"}')
    for frame in (answer, update(BOOK, 1)):
        outlet.write(frame)

    assert [answer, update(BOOK, 1)] == wire.frames
    assert (100, 0, 7) == (
        counters.deliveries,
        counters.withheld,
        outlet.get_write_buffer_size(),
    )


def test_just_as_many_of_a_channel_are_left_out_as_were_ordered(outlet, wire, counters):
    outlet.skip(BOOK, 1)
    outlet.skip(BOOK, 2)
    for number in range(5):
        outlet.write(update(BOOK, number))
    outlet.write(update(TICKER, 0))

    assert [update(BOOK, 3), update(BOOK, 4), update(TICKER, 0)] == wire.frames
    assert (97, 3) == (counters.deliveries, counters.withheld)


def test_what_is_held_back_comes_late_and_whole_while_answers_come_at_once(outlet, wire, counters):
    answer = text_frame(b'{"jsonrpc":"2.0","id":1,"result":"ok"}')
    outlet.hold()
    outlet.hold()
    for frame in (update(BOOK, 1), answer, update(BOOK, 2)):
        outlet.write(frame)
    outlet.let_go()
    assert ([answer], 98) == (wire.frames, counters.deliveries)
    outlet.let_go()

    assert [answer, update(BOOK, 1), update(BOOK, 2)] == wire.frames
    assert (100, 0) == (counters.deliveries, counters.withheld)


def test_what_was_held_back_for_one_who_left_goes_nowhere(outlet, wire, counters):
    outlet.hold()
    outlet.write(update(BOOK, 1))
    wire.close()
    outlet.let_go()

    assert ([], 99) == (wire.frames, counters.deliveries)


def test_a_mute_connection_says_nothing_and_does_not_end(outlet, wire, counters):
    outlet.hold()
    outlet.write(update(BOOK, 1))
    outlet.mute()
    outlet.write(update(BOOK, 2))
    outlet.write(text_frame(b"{}"))
    outlet.let_go()
    outlet.close()
    outlet.abort()

    assert ([], False, True) == (wire.frames, outlet.is_closing(), outlet.is_mute)
    assert (98, 2) == (counters.deliveries, counters.withheld)


def test_a_mute_connection_is_never_too_slow(outlet):
    outlet.mute()

    assert 0 == outlet.get_write_buffer_size()


def test_others_end_as_ever(outlet, wire):
    outlet.close()

    assert wire.is_closed


@pytest.mark.parametrize("size", [1, 200, 70_000])
def test_the_channel_of_an_update_is_read_whatever_its_size(size):
    head = b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.A.raw","data":"'

    assert BOOK == channel_of(text_frame(head + b"x" * size + b'"}}'))


def test_an_answer_that_quotes_an_update_is_none():
    quoted = b'"method":"subscription","params":{"channel":"book.A.raw"'

    assert channel_of(text_frame(b"x" * 80 + quoted)) is None
