"""How much of one connection is read before others have their turn."""

import runpy
from pathlib import Path

import pytest

from capacity.loadgen.wire.connection import BYTES_PER_READ
from capacity.loadgen.wire.epoll_set import MANY_MESSAGES, READS_PER_TURN

PAIRS = runpy.run_path(str(Path(__file__).parents[1] / "socket_pairs.py"))
connections = PAIRS["connections"]
pair = PAIRS["pair"]
text_frame = PAIRS["text_frame"]
FRAME_BYTES = BYTES_PER_READ // MANY_MESSAGES
"""Of each message where so many fill one read."""


@pytest.mark.parametrize(("longer_bytes", "reads"), [(0, 1), (1, READS_PER_TURN)])
def test_the_turn_of_a_flood_of_small_messages_is_one_read(pair, connections, longer_bytes, reads):
    _connection, heard, target = pair()
    frame = text_frame("x" * (FRAME_BYTES - 2 + longer_bytes))
    target.sendall(frame * (2 * READS_PER_TURN * BYTES_PER_READ // len(frame)))
    connections.serve_all()

    assert reads * BYTES_PER_READ // len(frame) == len(heard.payloads)
