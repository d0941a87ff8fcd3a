import msgpack
import pytest

from capacity.loadgen.protocol.orders import Orders, Stage

ORDERS = Orders(target={"name": "t"}, dialect={"name": "d"}, clock_offset_s=0.25, is_careful=True)
STAGE = Stage(
    index=2, phase="ramp", subscriptions_per_connection=1, requests_per_s=0.5, connects_per_s=10.0
)


@pytest.mark.parametrize("told", [ORDERS, STAGE], ids=["orders", "stage"])
def test_what_is_told_arrives_as_it_was(told):
    message = msgpack.unpackb(msgpack.packb(told.as_message()))

    assert told == type(told).from_message(message)


@pytest.mark.parametrize("told", [ORDERS, STAGE], ids=["orders", "stage"])
def test_a_word_that_is_not_known_is_refused_and_not_dropped(told):
    with pytest.raises(TypeError, match="unheard"):
        type(told).from_message({**told.as_message(), "unheard": 1})


def test_a_stage_that_says_no_more_replaces_nobody_orders_nothing_and_holds_nothing():
    assert (0.0, 0.0, 0.0) == (STAGE.churn_per_s, STAGE.orders_per_s, STAGE.hold_s)
    assert (None, None, "", 0) == (STAGE.most_failures, STAGE.drill, STAGE.run, STAGE.number)
