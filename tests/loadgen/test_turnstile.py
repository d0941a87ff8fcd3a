import itertools
import time

import gevent

from capacity.loadgen.turnstile import Turnstile


def test_a_burst_of_arrivals_is_spread_evenly():
    turnstile = Turnstile()
    turnstile.per_s = 100
    through_s = []

    def arrive():
        turnstile.wait()
        through_s.append(time.monotonic())

    gevent.joinall([gevent.spawn(arrive) for _ in range(20)])
    gaps_s = [after - before for before, after in itertools.pairwise(through_s)]

    assert 0.15 <= through_s[-1] - through_s[0]
    assert sorted(gaps_s)[len(gaps_s) // 2] > 0.005
