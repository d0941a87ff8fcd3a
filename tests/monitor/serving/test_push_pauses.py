"""How long a push that failed waits, and what it says."""

import pytest

from capacity.monitor.serving import push as module


def test_pauses_grow_to_their_bound_and_are_never_alike():
    pauses = module._pauses()
    drawn = [next(pauses) for _ in range(12)]

    assert 0.25 <= drawn[0] <= 0.5
    assert all(5 <= pause_s <= 10 for pause_s in drawn[5:])
    assert len(set(drawn)) == 12


def test_pauses_double_up_to_ten_seconds_and_are_drawn_from_their_upper_half(monkeypatch):
    drawn = []
    monkeypatch.setattr(module.random, "uniform", lambda low, high: drawn.append((low, high)))
    pauses = module._pauses()
    for _ in range(7):
        next(pauses)

    assert [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0] == [high for _low, high in drawn]
    assert [high / 2 for _low, high in drawn] == [low for low, _high in drawn]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "no response within 5 s"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (OSError("odd"), "odd"),
        (module.http.client.BadStatusLine("x"), "does not answer in HTTP (BadStatusLine)"),
        (module._RefusedError("answers 500 ''"), "answers 500 ''"),
    ],
)
def test_trouble_is_told_in_a_few_words(error, said):
    assert said == module._why(error)
