import os

from capacity.exchange.counters import Counters
from capacity.exchange.market.board import Board


def test_the_total_is_the_sum_of_what_each_posted_last():
    board = Board(2)
    board.post(0, Counters(accepted=7, slipped_s=0.25))
    board.post(1, Counters(accepted=3, refused=2, slipped_s=0.5))
    board.post(0, Counters(accepted=8, slipped_s=0.25))

    assert Counters(accepted=11, refused=2, slipped_s=0.75) == board.total()
    assert isinstance(board.total().accepted, int)


def test_a_child_posts_for_its_parent_to_read():
    board = Board(1)
    child = os.fork()
    if child == 0:
        board.post(0, Counters(deliveries=1_000_000_007))
        os._exit(0)
    os.waitpid(child, 0)

    assert 1_000_000_007 == board.total().deliveries
