"""Which frames are updates, and which part of a channel's name is its symbol."""

import pytest

from capacity.workload.drafting.following import following, symbol_in


def test_what_both_sides_say_is_the_name():
    asked = [{"op": "subscribe", "topics": ["px:A"]}]
    heard = [{"op": "subscribed", "n": 1}, *({"x": "px:A", "symbol": "other"} for _ in range(3))]
    found = following(asked, heard)

    assert ("x", ("px:A",), (1, 2, 3), True) == (
        found.key,
        found.names,
        found.updates,
        found.is_proven,
    )


def test_two_parts_that_were_asked_for_together_make_the_name():
    asked = [{"args": [{"channel": "books", "id": "A"}, {"channel": "books", "id": "B"}]}]
    heard = [{"arg": {"channel": "books", "id": name}, "data": []} for name in "ABAB"]

    assert following(asked, heard).key == "{arg.channel}:{arg.id}" or following(
        asked, heard
    ).names == ("books",)


def test_a_name_that_comes_in_two_parts_is_put_together():
    asked = [{"op": "subscribe", "args": ["trade:XBTUSD"]}]
    heard = [{"table": "trade", "data": [{"symbol": "XBTUSD"}]} for _ in range(3)]

    assert "{table}:{data.0.symbol}" == following(asked, heard).key


def test_confirmations_that_look_like_updates_are_none():
    asked = [{"event": "bts:subscribe", "data": {"channel": "px_btcusd"}}]
    heard = [{"event": "bts:subscription_succeeded", "channel": "px_btcusd", "data": {}}]
    heard += [{"event": "trade", "channel": "px_btcusd", "data": {"p": n}} for n in range(3)]
    found = following(asked, heard)

    assert ({"event": "trade"}, (1, 2, 3)) == (found.where, found.updates)


def test_updates_of_several_kinds_are_told_from_confirmations_by_their_kinds():
    asked = [{"event": "bts:subscribe", "data": {"channel": c}} for c in ("px_btcusd", "ob_btcusd")]
    heard = [
        {"event": "bts:subscription_succeeded", "channel": c, "data": {}}
        for c in ("px_btcusd", "ob_btcusd")
    ]
    heard += [{"event": "trade", "channel": "px_btcusd", "data": {"p": n}} for n in range(3)]
    heard += [{"event": "data", "channel": "ob_btcusd", "data": {"b": []}} for _ in range(3)]
    found = following(asked, heard)

    assert {"event": {"in": ["data", "trade"]}} == found.where
    assert (2, 3, 4, 5, 6, 7) == found.updates


def test_without_a_client_a_usual_key_is_guessed():
    found = following([], [{"symbol": name, "p": 1} for name in "ABAB"])

    assert ("symbol", ("A", "B"), False) == (found.key, found.names, found.is_proven)


def test_without_names_the_most_frequent_frames_are_the_updates():
    found = following([], [{"hello": 1}, {"seq": 1}, {"seq": 2}])

    assert (None, (1, 2), {"seq": {"exists": True}}) == (found.key, found.updates, found.where)
    assert following([], []) is None


@pytest.mark.parametrize(
    ("name", "symbols", "names", "symbol"),
    [
        ("book.BTC-PERPETUAL.100ms", [], [], "BTC-PERPETUAL"),
        ("btcusdt@trade", [], [], "btcusdt"),
        ("trade:BTC/USD", [], [], "BTC/USD"),
        ("px.foo", [], ["px.foo", "px.bar"], "foo"),
        ("px.foo", ["px"], [], "px"),
        ("px.foo", ["zz"], ["px.foo", "px.bar"], None),
        ("live_trades_btcusd", [], [], "btcusd"),
        ("PI_XBTUSD", [], [], "PI_XBTUSD"),
        ("AAPL", [], ["AAPL", "MSFT"], "AAPL"),
        ("updates", [], ["updates"], None),
    ],
)
def test_the_symbol_in_a_name(name, symbols, names, symbol):
    assert symbol == symbol_in(name, symbols, names)
