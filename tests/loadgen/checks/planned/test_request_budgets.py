"""What all requests of a run together may ask for, by target, dialects and profile."""

from dataclasses import replace

import pytest

from capacity.domain.errors import ConfigError, PreflightError
from capacity.loadgen.checks.planned.planned_load import course_of
from capacity.loadgen.checks.planned.request_budgets import orders_share, privately
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.profile import ADAPTER
from capacity.settings.target import Target, load_target

DEMO = load_target(find("targets", "demo"))
DERIBIT = load_dialect(find("dialects", DEMO.dialect))
KUCOIN = load_dialect(find("dialects", "kucoin"))
OKX, PRIVATE = (load_dialect(find("dialects", name)) for name in ("okx", "okx-private"))


def profile(kind="ramp", mix=None, **changes):
    nothing = {"requests_per_s_per_connection": 0.0, "subscriptions_per_connection": 1}
    given = {"profile": 1, "name": "p", "kind": kind, "connects_per_s": 10}
    return ADAPTER.validate_python(given | {"mix": nothing | (mix or {})} | changes)


def bounded(dialect, per_s):
    return replace(dialect, http=replace(dialect.http, total_weight_per_s=per_s))


def target(dialect, **changes):
    given = {"target": 1, "name": "venue", "host": "h", "port": 1, "symbols": ["BTC-USDT"]}
    return Target.model_validate(given | {"dialect": dialect} | changes)


def with_tokens(**changes):
    values = {"token": {"operation": "token", "path": "data.token"}}
    return target("kucoin", channels=["ticker"], values=values, **changes)


def logging_in(per_client=2):
    private = {"dialect": "okx-private", "channels": ["orders", "account"]}
    private |= {"values": dict.fromkeys(PRIVATE.needs, "x"), "connections_per_client": per_client}
    return target("okx", channels=["trades"], private=private)


@pytest.mark.parametrize(("per_s", "is_possible"), [(10.0, True), (9.9, False)])
def test_orders_by_rest_and_the_logins_of_new_traders_are_requests_as_well(per_s, is_possible):
    # Half of ten orders a second go by REST, and each of their traders logs in first; polls are the rest.
    assert DERIBIT.orders.login is not None
    mix = {"orders_per_s_per_connection": 0.5, "requests_per_s_per_connection": 0.125}
    planned = profile(levels=[10, 20], mix=mix)
    if is_possible:
        assert course_of(DEMO, bounded(DERIBIT, per_s), planned, None)
        return
    with pytest.raises(PreflightError) as error:
        course_of(DEMO, bounded(DERIBIT, per_s), planned, None)
    assert "profile p: 2.5 requests/s of operation ticker" in str(error.value)
    assert "5 requests/s of orders" in str(error.value)


@pytest.mark.parametrize(("per_s", "is_possible"), [(10.0, True), (9.9, False)])
def test_a_token_before_each_connect_is_a_request_at_the_pace_of_connects(per_s, is_possible):
    planned = profile(levels=[5])
    if is_possible:
        assert course_of(with_tokens(), bounded(KUCOIN, per_s), planned, None)
        return
    with pytest.raises(PreflightError, match="10 requests/s of operation token before connects"):
        course_of(with_tokens(), bounded(KUCOIN, per_s), planned, None)


def test_a_climb_leaves_out_what_connects_and_freshness_take():
    polled = with_tokens(rest={"operation": "ticker"})
    mix = {"requests_per_s_per_connection": 0.5}
    safe = profile("safe", mix=mix, connections=4000, freshness={"poll_interval_s": 1.0})
    rules = course_of(polled, bounded(KUCOIN, 21.0), safe, None).rules

    assert 20 == rules.most
    assert "http.total_weight_per_s of dialect kucoin (21)" in rules.most_by


def test_a_storm_whose_clients_would_all_ask_for_a_token_is_refused():
    drilled = profile(levels=[5], storm={})

    assert course_of(with_tokens(), KUCOIN, drilled, None)
    with pytest.raises(ConfigError, match=r"storm would have all .* http\.total_weight_per_s"):
        course_of(with_tokens(), bounded(KUCOIN, 100.0), drilled, None)


@pytest.mark.parametrize(("per_s", "is_possible"), [(10.1, True), (10.0, False)])
def test_orders_over_websockets_must_leave_something_to_those_who_subscribe(per_s, is_possible):
    paced = replace(DERIBIT, ws=replace(DERIBIT.ws, total_requests_per_s=per_s))
    orders = DEMO.orders.model_copy(update={"over": ("websocket",)})
    traded = DEMO.model_copy(update={"orders": orders})
    planned = profile(
        levels=[10], mix={"orders_per_s_per_connection": 1.0}, ramp_timeout_s=3600, settle_s=900
    )
    if is_possible:
        assert course_of(traded, paced, planned, None)
        return
    with pytest.raises(
        PreflightError, match="10 requests/s of traders over WebSockets leave nothing"
    ):
        course_of(traded, paced, planned, None)


def test_a_climb_with_orders_ends_before_they_leave_too_little():
    paced = replace(DERIBIT, ws=replace(DERIBIT.ws, total_requests_per_s=100.0))
    orders = DEMO.orders.model_copy(update={"over": ("websocket",)})
    traded = DEMO.model_copy(update={"orders": orders})
    mix = {"orders_per_s_per_connection": 0.5}
    most = course_of(traded, paced, profile("safe", mix=mix, connections=4000), None).rules.most

    assert most < 200
    assert course_of(traded, paced, profile(levels=[most], settle_s=5, mix=mix), None)


@pytest.mark.parametrize(("timeout_s", "is_possible"), [(40.0, True), (30.0, False)])
def test_what_private_connections_ask_for_counts_in_the_ramp(timeout_s, is_possible):
    # Each of ten clients: one subscription publicly; a login and a subscription privately.
    private = replace(
        PRIVATE, ws=replace(PRIVATE.ws, requests_per_s=None, total_requests_per_s=1.0)
    )
    planned = profile(levels=[20], ramp_timeout_s=timeout_s)
    if is_possible:
        assert course_of(logging_in(), OKX, planned, None, private=private)
        return
    with pytest.raises(PreflightError, match=r"30 requests for opening .* of dialect okx-private"):
        course_of(logging_in(), OKX, planned, None, private=private)


def test_the_share_of_private_connections_and_of_ways_are_those_of_the_target_file():
    assert privately(DEMO, None) is None
    assert (0.25, 2) == (
        privately(logging_in(4), PRIVATE).share,
        privately(logging_in(4), PRIVATE).channels,
    )
    assert (0.5, 0.5) == (orders_share(DEMO, "rest"), orders_share(DEMO, "websocket"))
    assert 0.0 == orders_share(logging_in(), "rest")
