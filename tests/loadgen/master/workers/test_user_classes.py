"""Which classes take part, and what they bring to the mix."""

from locust import User

import pytest

from capacity.domain.errors import ConfigError
from capacity.loadgen.master.workers.user_classes import picked_classes
from capacity.settings.profile import ProfileMix, RampProfile


class Follower(User):
    weight = 1


class Asker(User):
    weight = 0
    fixed_count = 1
    rate = "requests_per_s"


class Dealer(User):
    weight = 0
    fixed_count = 1
    rate = "orders_per_s"
    orders_per_s_per_connection = 0.2


class Slow(User):
    weight = 3
    by_default = False
    reads_slowly = True


class Churner(User):
    weight = 1
    by_default = False
    churn_per_s = 0.5


class Both(User):
    weight = 1
    by_default = False
    trades = True
    orders_per_s_per_connection = 0.1


CLASSES = (Follower, Asker, Dealer, Slow, Churner, Both)


def classes_picked(*picked, **mix):
    profile = RampProfile(profile=1, name="p", kind="ramp", levels=(1,), mix=ProfileMix(**mix))
    return picked_classes(CLASSES, picked, profile)


@pytest.mark.parametrize("picked", [(), tuple(each.__name__ for each in CLASSES)])
def test_where_none_or_all_are_picked_the_mix_is_the_profiles(picked):
    found = classes_picked(*picked)

    assert found.classes == (Follower, Asker, Dealer)
    assert found.profile.mix == ProfileMix()


def test_a_share_of_slow_and_of_churning_classes_is_that_of_their_weights():
    mix = classes_picked("Follower", "Slow", "Churner", slow_readers_ratio=0.5).profile.mix

    assert mix.slow_readers_ratio == pytest.approx(0.6 + 0.4 * 0.5)
    assert mix.churn_per_s_per_connection == pytest.approx(0.5 / 5)


def test_workers_are_told_the_ratio_among_the_others():
    found = classes_picked("Follower", "Slow", slow_readers_ratio=0.5)

    assert (found.slow_readers_ratio, found.has_slow_class) == (0.5, True)
    assert not classes_picked("Follower").has_slow_class


def test_without_its_class_there_are_no_polls_and_no_orders():
    mix = classes_picked("Follower", orders_per_s_per_connection=1.0).profile.mix

    assert (mix.requests_per_s_per_connection, mix.orders_per_s_per_connection) == (0.0, 0.0)
    assert classes_picked("Follower", "Asker").profile.mix.requests_per_s_per_connection == 0.01


def test_traders_that_are_picked_trade_as_the_profile_says_or_as_they_do_by_themselves():
    assert classes_picked("Follower", "Dealer").profile.mix.orders_per_s_per_connection == 0.2
    asked = classes_picked("Follower", "Dealer", orders_per_s_per_connection=0.5).profile.mix
    assert asked.orders_per_s_per_connection == 0.5


def test_every_mixed_trader_trades():
    assert classes_picked("Both").profile.order_interval_s == pytest.approx(10.0)
    assert classes_picked("Follower", "Dealer").profile.order_interval_s == 1.0


def test_a_class_that_is_not_there_is_an_error_that_names_those_that_are():
    with pytest.raises(ConfigError, match=r"no class Nobody .* Asker, Both"):
        classes_picked("Nobody")


def test_somebody_must_hold_the_connections():
    with pytest.raises(ConfigError, match="pick one of Both, Churner, Follower, Slow"):
        classes_picked("Dealer", "Asker")


def test_the_busiest_trader_that_is_picked_says_how_many_orders_there_are():
    assert (
        classes_picked("Follower", "Dealer", "Both").profile.mix.orders_per_s_per_connection == 0.2
    )


def test_a_class_that_is_unlike_the_others_changes_nothing_of_them():
    mix = classes_picked("Follower").profile.mix

    assert (0.0, 0.0) == (mix.slow_readers_ratio, mix.churn_per_s_per_connection)
    assert classes_picked("Follower").profile.order_interval_s == 1.0
    assert classes_picked("Slow", slow_readers_ratio=0.5).profile.mix.slow_readers_ratio == 1.0
