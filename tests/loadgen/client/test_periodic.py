"""What a dialect says by itself, on lines that are open or not."""

from types import SimpleNamespace

import gevent

from capacity.loadgen.client.periodic import send_forever


class Said:
    def __init__(self, *, is_open=True):
        self.is_open, self.rules = is_open, []

    def send_periodic(self, rule):
        self.rules.append(rule)


def test_all_that_are_open_say_the_rule_time_after_time():
    one, other, closed = Said(), Said(), Said(is_open=False)
    world = SimpleNamespace(late=[])
    greenlet = gevent.spawn(send_forever, 3, 0.02, lambda: [one, closed], lambda: world.late)
    with gevent.Timeout(30):
        while len(one.rules) < 2:
            gevent.sleep(0.005)
        world.late = [other]
        while not other.rules:
            gevent.sleep(0.005)
    greenlet.kill()

    assert {3} == {*one.rules, *other.rules}
    assert [] == closed.rules
