import pytest

from capacity.loadgen.wire.memory_budget import MOST_BYTES, MemoryBudget


class Holder:
    def __init__(self):
        self.is_shed = False

    def shed(self):
        self.is_shed = True


@pytest.fixture
def holders():
    return [Holder() for _ in range(3)]


def test_up_to_the_budget_nobody_has_to_go(holders):
    budget = MemoryBudget(100)
    for holder, held_bytes in zip(holders, (60, 30, 10), strict=True):
        budget.weigh(holder, held_bytes)

    assert [False] * 3 == [holder.is_shed for holder in holders]
    assert 100 == budget.held_bytes


def test_a_byte_beyond_it_the_largest_goes_whoever_came_last(holders):
    budget = MemoryBudget(100)
    for holder, held_bytes in zip(holders, (60, 30, 11), strict=True):
        budget.weigh(holder, held_bytes)

    assert [True, False, False] == [holder.is_shed for holder in holders]
    assert 41 == budget.held_bytes


def test_what_was_let_go_is_free_again(holders):
    budget = MemoryBudget(100)
    for held_bytes in (90, 0, 100, 50, 0):
        budget.weigh(holders[0], held_bytes)
    budget.weigh(holders[1], 100)

    assert [False, False] == [holder.is_shed for holder in holders[:2]]


def test_as_many_go_as_must(holders):
    budget = MemoryBudget(100)
    for holder in holders[:2]:
        budget.weigh(holder, 50)
    budget.weigh(holders[2], 101)

    assert [False, False, True] == [holder.is_shed for holder in holders]


def test_by_default_it_is_half_a_gibibyte():
    assert 512 * 2**20 == MOST_BYTES == MemoryBudget().most_bytes
