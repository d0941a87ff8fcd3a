"""The profiles that chance draws can be measured, and their judge sees what it is to see."""

import runpy
from pathlib import Path

import pytest

from capacity.settings.profile import ADAPTER

DRAWN = runpy.run_path(str(Path(__file__).parent / "random_profiles.py"))
profile_of, truth_of, trouble_of = (
    DRAWN[name] for name in ("profile_of", "truth_of", "trouble_of")
)


def answer_of(low, high, binding="descriptors", doubts=(), met=None):
    capacity = {"low": low, "mid": (low + high) / 2, "high": high}
    return {"capacity": capacity, "binding": binding, "doubts": list(doubts), "met": met}


def test_whatever_is_drawn_is_a_profile_and_the_same_for_one_seed():
    drawn = [profile_of(seed) for seed in range(200)]

    assert {"ramp", "sequence", "safe", "break"} == {
        ADAPTER.validate_python(each).kind for each in drawn
    }
    assert drawn == [profile_of(seed) for seed in range(200)]


@pytest.mark.parametrize(
    ("mix", "truth"),
    [
        ({}, 693.0),
        ({"requests_per_s_per_connection": 2}, 33.0),
        ({"orders_per_s_per_connection": 0.1}, 577.5),
    ],
)
def test_pollers_and_traders_take_descriptors_of_their_own(mix, truth):
    none = {"requests_per_s_per_connection": 0, "orders_per_s_per_connection": 0}
    profile = {"poll_interval_s": 10, "order_interval_s": 2, "mix": none | mix}

    assert truth == pytest.approx(truth_of(profile))


@pytest.mark.parametrize(
    ("code", "answer", "trouble"),
    [
        (0, answer_of(690, 693), None),
        (0, answer_of(714, 800), None),
        (0, answer_of(716, 800), "[716, 800] without a caveat, and 693 is true"),
        (0, answer_of(600, 672), "[600, 672] without a caveat, and 693 is true"),
        (0, answer_of(600, 673), None),
        (0, answer_of(716, 800, doubts=[{"kind": "few_steps"}]), None),
        (0, answer_of(716, 800, binding="event_loop"), None),
        (0, answer_of(690, 693, met={"held": 20}), "a limit was met that is none"),
        (0, {}, "no capacity was derived"),
        (5, {}, "the run ended with exit code 5"),
        (4, {}, "the target is accused"),
    ],
)
def test_the_judge_sees_a_wrong_answer_and_an_accusation(code, answer, trouble):
    assert trouble == trouble_of(code, answer, 693.0)
