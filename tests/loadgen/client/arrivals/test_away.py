"""Who owns a connection while a drill has it."""

from capacity.loadgen.client.arrivals.away import Drilled


class Slot(Drilled):
    def __init__(self):
        super().__init__()
        self.open, self.renewed = True, 0

    @property
    def is_open(self):
        return self.open

    def close(self):
        self.open = False

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
    slot.go_away(Home())

    assert (slot.is_open, slot.is_missing) == (False, False)
    slot.come_home()
    assert (slot.is_missing, slot.renewed) == (True, 1)


def test_a_slot_that_is_open_again_comes_home_as_it_is():
    slot = Slot()
    slot.go_away(Home())
    slot.open = True
    slot.come_home()

    assert 0 == slot.renewed


def test_only_a_drill_is_told_that_a_client_is_served():
    slot, home = Slot(), Home()
    slot.tell_served()
    slot.go_away(home)
    slot.tell_served()

    assert 1 == home.times


def test_a_loss_is_told_to_the_drill_that_has_the_connection():
    slot, home = Slot(), Home()

    assert slot.tell_lost("closed") is False
    slot.go_away(home)
    assert slot.tell_lost("closed") is True
    assert ["closed"] == home.reasons
