import math
from dataclasses import replace

import pytest

from capacity.domain.answers.comparison import Change, Outcome
from capacity.domain.answers.sizing import BreakEven, Storm, StormCase, Trade
from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource
from capacity.planning.advice.advice import advice
from capacity.reporting.drawing.answer_charts import (
    changes_figure,
    exhaustion_figure,
    sizing_figure,
    storm_figure,
    trade_figure,
)
from capacity.settings.demand import load_demand
from capacity.settings.hosts import load_hosts
from capacity.settings.locate import find


@pytest.fixture(scope="module")
def answers(record, plan):
    demand = load_demand(find("demand", "example"))
    return advice(record, plan, demand, load_hosts(find("hosts", "example")))


def texts(figure, parsed_svg):
    wide = parsed_svg(f"<div>{figure.svg.replace('xmlns=', 'data-x=')}</div>")[0]
    return [text.text for text in wide.iter("text")]


def test_every_priced_host_has_a_bar_with_price_and_instances(answers, parsed_svg):
    figure = sizing_figure(answers.sizing)
    shown = texts(figure, parsed_svg)

    assert figure.caption == "Price per month, USD"
    for host in answers.sizing.hosts:
        assert f"{host.price_per_month:,.0f} ({host.instances} ×)" in shown


def test_without_prices_instances_are_compared(answers):
    free = [replace(host, price_per_month=None) for host in answers.sizing.hosts]

    assert sizing_figure(replace(answers.sizing, hosts=tuple(free))).caption == (
        "Instances by host type"
    )
    assert sizing_figure(replace(answers.sizing, hosts=())) is None


def test_dates_are_a_fan_from_early_to_late(answers, parsed_svg):
    found = answers.exhaustion
    shown = texts(exhaustion_figure(found), parsed_svg)
    never = replace(found.dates[0], early_at=None, middle_at=None, late_at=None)

    assert any(text.startswith("20") for text in shown)
    assert "headroom and reserve instances" in shown
    assert exhaustion_figure(replace(found, dates=(never,))) is None


def test_a_date_that_may_never_come_is_later(answers, parsed_svg):
    date = replace(answers.exhaustion.dates[0], middle_at=None, late_at=None)

    assert "later" in texts(
        exhaustion_figure(replace(answers.exhaustion, dates=(date,))), parsed_svg
    )


@pytest.fixture
def storm():
    case = StormCase(
        event="loss of one",
        instances_up=3,
        arrivals=900.0,
        connections_after=1_200.0,
        busiest=Resource.CPU,
        served_per_s=90.0,
        shortest_window_s=10.0,
        arrivals_per_s=90.0,
        overflows=False,
        is_metastable=False,
    )
    return Storm(
        host="small",
        instances=4,
        retry="fixed",
        cases=(case, replace(case, event="restart", shortest_window_s=None)),
        window_s=20.0,
        instances_for_window=None,
    )


def test_a_storm_shows_its_window_against_the_clients(storm, parsed_svg):
    shown = texts(storm_figure(storm), parsed_svg)

    assert {"loss of one", "10 s", "clients' window"} <= set(shown)
    assert "restart" not in shown
    assert storm_figure(replace(storm, cases=storm.cases[1:])) is None


def trade(freshness_s, poll_clients, rate=2.0):
    return Trade(
        deliveries_per_s=rate,
        freshness_s=freshness_s,
        poll_interval_s=freshness_s,
        push_clients=5_000.0,
        push_binding=Resource.CPU,
        poll_clients=poll_clients,
        poll_binding=Resource.CPU,
    )


def test_push_stands_against_poll_at_the_rate_nearest_to_the_measured(parsed_svg):
    found = BreakEven(
        host="tested",
        resources=(),
        trades=(trade(1.0, 700.0), trade(10.0, math.inf), trade(1.0, 3.0, rate=99.0)),
        premise=trade(None, 700.0, rate=2.1),
        price_per_month=None,
        currency="",
        left_out=(),
    )
    shown = texts(trade_figure(found), parsed_svg)

    assert {"push", "5,000", "poll, 1 s old", "700"} <= set(shown)
    assert "3" not in shown
    assert trade_figure(replace(found, trades=())) is None


def change(figure, outcome, low, high, *, is_judged=True):
    return Change(
        figure=figure,
        unit="cores",
        baseline=1.0,
        current=1.1,
        ratio=Estimate(low=low, mid=(low + high) / 2, high=high, confidence=0.9),
        chance=0.999,
        seen_from_ratio=0.01,
        outcome=outcome,
        is_judged=is_judged,
    )


def test_changes_are_intervals_around_the_baseline(parsed_svg):
    changes = (
        change("cost.cpu", Outcome.REGRESSION, 1.05, 1.15),
        change("cost.memory", Outcome.NO_CHANGE, 0.98, 1.02),
        change("cost.files", Outcome.NO_CHANGE, 0.9, 1.1, is_judged=False),
    )
    shown = texts(changes_figure(changes, {"cost.cpu": "CPU per connection"}), parsed_svg)

    assert {"CPU per connection", "+10.0 %, worse", "+0.0 %", "baseline"} <= set(shown)
    assert "cost.files" not in shown
    assert changes_figure(changes[2:], {}) is None
