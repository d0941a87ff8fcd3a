"""Weights of polls, and what all of them together may weigh."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.workload.profiles.request_weight import weight_budget

BINANCE = load_dialect(find("dialects", "binance"))


def polls(operation, per_s=None):
    return SimpleNamespace(operation=operation, total_weight_per_s=per_s)


def test_binance_lets_an_address_ask_for_twenty_order_books_a_second():
    budget = weight_budget(BINANCE, polls("depth"), "t")

    assert (20.0, "http.total_weight_per_s of dialect binance") == (
        budget.most_requests_per_s,
        budget.source,
    )
    assert budget.excess(20.0) is None
    assert "20.1 requests/s of operation depth, 5 each, weigh 100.5 a second" in budget.excess(20.1)


@pytest.mark.parametrize(("each", "most"), [(0.1, 200), (0.0995, 201), (20.0, 1), (21.0, 1)])
def test_as_many_connections_as_share_the_weight_may_poll_and_one_at_least(each, most):
    assert most == weight_budget(BINANCE, polls("depth"), "t").most_connections(each)


def test_the_target_s_own_rule_goes_before_the_dialect_s():
    budget = weight_budget(BINANCE, polls("depth", 200.0), "t")

    assert (40.0, "rest.total_weight_per_s of target t") == (
        budget.most_requests_per_s,
        budget.source,
    )


def test_what_is_not_there_not_bounded_or_weighs_nothing_has_no_budget():
    free = replace(BINANCE, rest={"depth": replace(BINANCE.rest["depth"], weight=0.0)})
    unbounded = replace(BINANCE, http=replace(BINANCE.http, total_weight_per_s=None))

    assert weight_budget(BINANCE, None, "t") is None
    assert weight_budget(BINANCE, polls("none"), "t") is None
    assert weight_budget(unbounded, polls("depth"), "t") is None
    assert weight_budget(free, polls("depth"), "t") is None
