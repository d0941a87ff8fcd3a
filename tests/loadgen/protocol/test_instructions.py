import msgpack
import pytest

from capacity.loadgen.protocol.instructions import (
    BETWEEN,
    DrillInstructions,
    RunInstructions,
    Stage,
)

INSTRUCTIONS = RunInstructions(
    target={"name": "t"}, dialect={"name": "d"}, clock_offset_s=0.25, is_careful=True
)
STAGE = Stage(
    index=2, phase="ramp", subscriptions_per_connection=1, requests_per_s=0.5, connects_per_s=10.0
)


DRILL = DrillInstructions(share_ratio=0.5, policy="fixed", base_s=1.0, factor=2.0, cap_s=3.0)


@pytest.mark.parametrize("told", [INSTRUCTIONS, STAGE, DRILL], ids=["run", "stage", "drill"])
def test_what_is_told_arrives_as_it_was(told):
    message = msgpack.unpackb(msgpack.packb(told.as_message()))

    assert told == type(told).from_message(message)


@pytest.mark.parametrize("told", [INSTRUCTIONS, STAGE, DRILL], ids=["run", "stage", "drill"])
def test_a_word_that_is_not_known_is_refused_and_not_dropped(told):
    with pytest.raises(TypeError, match="unheard"):
        type(told).from_message({**told.as_message(), "unheard": 1})


def test_a_stage_that_says_no_more_replaces_nobody_orders_nothing_and_holds_nothing():
    assert (0.0, 0.0, 0.0) == (STAGE.churn_per_s, STAGE.orders_per_s, STAGE.hold_s)
    assert (None, None, "", 0) == (STAGE.most_failures, STAGE.drill, STAGE.run, STAGE.number)


def test_orders_that_say_no_more_are_those_of_one_plain_client():
    assert {
        "target": {},
        "dialect": {},
        "private_dialect": None,
        "connections_per_user": 1,
        "arrivals": "even",
        "poll_interval_s": 1.0,
        "clock_offset_s": 0.0,
        "subscriptions_by_address": 1,
        "slow_readers_ratio": 0.0,
        "slow_read_bytes_per_s": 0.0,
        "has_slow_class": False,
        "order_interval_s": 1.0,
        "freshness_poll_interval_s": None,
        "workers": 1,
        "is_careful": False,
        "most_memory_bytes": 536_870_912,
        "run": "",
    } == RunInstructions(target={}, dialect={}).as_message()


def test_what_is_counted_between_two_steps_is_in_none():
    assert -1 == BETWEEN
