"""Who owns a connection while a drill has it."""

from capacity.loadgen.client.arrivals.away import Drilled


class Slot(Drilled):
    def __init__(self):
        super().__init__()
        self.is_there, self.renewed = True, 0

    @property
    def is_open(self):
        return self.is_there

    def open(self):
        self.is_there = True

    def close(self):
        self.is_there = False

    def renew(self):
        self.renewed += 1


class Home:
    def __init__(self):
        self.times, self.reasons = 0, []

    def lost(self, reason):
        self.reasons.append(reason)

    def served(self):
        self.times += 1


def test_a_slot_that_a_drill_has_is_not_missing():
    slot = Slot()
    slot.hand_over(Home())

    assert (slot.is_open, slot.is_missing) == (False, False)
    slot.hand_back()
    assert (slot.is_missing, slot.renewed) == (True, 1)


def test_a_slot_that_is_open_again_comes_home_as_it_is():
    slot = Slot()
    slot.hand_over(Home())
    slot.open()
    slot.hand_back()

    assert 0 == slot.renewed


def test_only_a_drill_is_told_that_a_client_is_served():
    slot, home = Slot(), Home()
    slot.tell_served()
    slot.hand_over(home)
    slot.tell_served()

    assert 1 == home.times


def test_a_loss_is_told_to_the_drill_that_has_the_connection():
    slot, home = Slot(), Home()

    assert slot.tell_lost("closed") is False
    slot.hand_over(home)
    assert slot.tell_lost("closed") is True
    assert ["closed"] == home.reasons
