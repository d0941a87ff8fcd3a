import msgpack

from capacity.domain.load import LoadStep
from capacity.loadgen.checks.preflight import check
from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.slow_reader import SlowReader
from capacity.loadgen.master.workers.assignments import (
    SEEN_IN_S,
    careful_rate_per_s,
    orders_of,
    stage_of,
)
from capacity.loadgen.protocol.orders import Orders
from capacity.settings.profile import ADAPTER
from capacity.workload.profiles.profile import START


def step_of(connections):
    return LoadStep(
        connections=connections,
        subscriptions_per_connection=0,
        requests_per_s=0.0,
        connects_per_s=50.0,
        ramp_timeout_s=1.0,
        settle_s=1.0,
        plateau_s=1.0,
        is_mix=False,
    )


def test_a_worker_can_begin_with_what_comes_over_the_wire(exchange, target_file):
    target = target_file(exchange)
    profile = ADAPTER.validate_python(
        {"profile": 1, "name": "tiny", "kind": "ramp", "levels": [2], "connections_per_user": 7}
        | {"mix": {"slow_readers_ratio": 1.0}}
    )
    orders = orders_of(target, profile, check(target, profile, workers=1))
    clients = Clients(Orders.from_message(msgpack.unpackb(msgpack.packb(orders.as_message()))))
    (slot,) = clients.join(1, lambda: None)
    clients.close()

    assert 7 == clients.connections_per_user
    assert target == clients.target
    assert isinstance(slot, SlowReader)


def test_a_careful_ramp_takes_several_samples():
    steps = [step_of(connections) for connections in (0, 60, 60, 1000, 60)]

    assert [50.0, 60 / SEEN_IN_S, 50.0, 50.0, 50.0] == [
        careful_rate_per_s(steps, index) for index in range(len(steps))
    ]


def test_only_a_careful_run_ends_after_failures_of_which_each_worker_gets_its_share():
    def most_failures(connections, shares, **changes):
        return stage_of(START, step_of(connections), shares, **changes).most_failures

    assert most_failures(100, 2) is None
    # Twenty, or a twentieth of the connections; one at least.
    assert [10, 10, 10, 25, 1] == [
        most_failures(connections, shares, is_careful=True)
        for connections, shares in ((100, 2), (400, 2), (419, 2), (1000, 2), (100, 30))
    ]
