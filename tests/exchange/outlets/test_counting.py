import pytest

from capacity.exchange.outlets.counting import FULL_BYTES, CountingOutlet


class Wire:
    """Keeps what it is told until it is read."""

    def __init__(self):
        self.waiting_bytes, self.told = 0, []

    def write(self, frame):
        self.waiting_bytes += len(frame)

    def get_write_buffer_size(self):
        return self.waiting_bytes

    def is_closing(self):
        return False

    def close(self):
        self.told.append("close")

    def abort(self):
        self.told.append("abort")


@pytest.fixture
def wire():
    return Wire()


def test_it_is_full_when_more_messages_wait_than_may(wire):
    outlet = CountingOutlet(wire, most_messages=3)
    for frame in (b"a" * 10, b"b" * 20, b"c" * 30):
        outlet.write(frame)
    assert 60 == outlet.get_write_buffer_size()
    outlet.write(b"d")

    assert FULL_BYTES == outlet.get_write_buffer_size()


@pytest.mark.parametrize(("read_bytes", "is_full"), [(9, True), (10, False), (11, False)])
def test_a_message_waits_until_its_last_byte_is_taken(wire, read_bytes, is_full):
    outlet = CountingOutlet(wire, most_messages=1)
    outlet.write(b"a" * 10)
    outlet.write(b"b" * 20)
    wire.waiting_bytes -= read_bytes

    assert is_full is (outlet.get_write_buffer_size() == FULL_BYTES)


def test_what_was_taken_is_forgotten(wire):
    outlet = CountingOutlet(wire, most_messages=1)
    for _ in range(1_000):
        outlet.write(b"a" * 10)
        wire.waiting_bytes = 0
        assert 0 == outlet.get_write_buffer_size()

    assert 0 == len(outlet._sizes_bytes)


def test_the_end_is_left_to_the_connection_itself(wire):
    outlet = CountingOutlet(wire, most_messages=1)
    outlet.close()
    outlet.abort()

    assert (["close", "abort"], False) == (wire.told, outlet.is_closing())
