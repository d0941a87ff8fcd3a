import msgpack

from capacity.loadgen.fleet import Fleet, Orders
from capacity.loadgen.orders import orders_of
from capacity.loadgen.preflight import check
from capacity.loadgen.slow_feed import SlowFeed
from capacity.settings.profile import ADAPTER


def test_a_worker_can_begin_with_what_comes_over_the_wire(exchange, target_file):
    target = target_file(exchange)
    profile = ADAPTER.validate_python(
        {"profile": 1, "name": "tiny", "kind": "ramp", "levels": [2], "connections_per_user": 7}
        | {"mix": {"slow_readers_ratio": 1.0}}
    )
    orders = orders_of(target, profile, check(target, profile, workers=1))
    fleet = Fleet(Orders(**msgpack.unpackb(msgpack.packb(orders))))
    (feed,) = fleet.join(1, lambda: None)
    fleet.close()

    assert 7 == fleet.connections_per_user
    assert target == fleet.target
    assert isinstance(feed, SlowFeed)
