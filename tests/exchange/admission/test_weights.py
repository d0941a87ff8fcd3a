import pytest

from capacity.exchange.admission.weights import weight_of


@pytest.mark.parametrize(
    ("method", "params", "weight"),
    [
        ("public/ticker", {}, 1),
        ("public/get_order_book", {}, 5),
        ("public/get_instruments", {}, 10),
        ("public/test", {}, 0),
        ("public/subscribe", {"channels": ["a", "b", "c"]}, 3),
        ("private/unsubscribe", {"channels": []}, 1),
        ("public/subscribe", {"channels": "a"}, 1),
        ("no/such", {}, 1),
    ],
)
def test_a_request_weighs_by_its_method_and_subscriptions_by_channel(method, params, weight):
    assert weight == weight_of(method, params)
