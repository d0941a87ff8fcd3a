"""Scores of planted results."""

import runpy
from pathlib import Path

import pytest

SCORES = runpy.run_path(str(Path(__file__).with_name("scores.py")))


def result(mid, truth, *, width=0.0, binding="memory", ladder=("memory",), **changes):
    prediction = {
        "capacity": {"low": mid - width, "mid": mid, "high": mid + width},
        "ladder": [(resource, mid, 0.5) for resource in ladder],
        "target_failed": False,
    }
    return {"prediction": prediction | changes, "truth": truth, "binding": binding}


def test_errors_are_shares_of_the_truth():
    scores = SCORES["scores_of"]([result(110, 100), result(98, 100), result(100, 100)])

    assert scores["median_error"] == pytest.approx(0.02)
    assert scores["p90_error"] == pytest.approx(0.10)
    assert scores["log_bias"] > 0


def test_only_predictions_too_high_are_unsafe():
    scores = SCORES["scores_of"]([result(80, 100), result(109, 100), result(112, 100)])

    assert scores["unsafe"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("truth", "covered_80", "covered_90"), [(100, 1, 1), (108, 0, 1), (112, 0, 0), (101, 1, 1)]
)
def test_an_80_percent_interval_is_narrower(truth, covered_80, covered_90):
    scores = SCORES["scores_of"]([result(100, truth, width=8)])

    assert ((covered_80, 1), (covered_90, 1)) == (scores["covered_80"], scores["covered_90"])


def test_an_interval_without_width_has_the_connection_beside_it():
    assert SCORES["scores_of"]([result(100, 101)])["covered_90"] == (1, 1)
    assert SCORES["scores_of"]([result(100, 102)])["covered_90"] == (0, 1)


def test_what_binds_is_named_first_or_among_the_first_two():
    scores = SCORES["scores_of"](
        [result(100, 100), result(100, 100, ladder=("descriptors", "memory"))]
    )

    assert (0.5, 1.0) == (scores["named"], scores["named_in_two"])


def test_the_core_of_a_single_loop_is_a_name_for_it_but_not_the_other_way_round():
    loop = result(100, 100, binding="event_loop", ladder=("cpu",))
    quota = result(100, 100, binding="cpu", ladder=("event_loop",))

    assert (1.0, 0.0) == tuple(SCORES["scores_of"]([each])["named"] for each in (loop, quota))


def test_a_case_without_an_answer_counts_as_a_case():
    silent = {"prediction": {"excuse": "too little", "target_failed": True}, "truth": 100}
    scores = SCORES["scores_of"]([silent, result(100, 100)])

    assert (2, 1, 1) == (scores["cases"], scores["answered"], scores["failures_caused"])


def test_nothing_has_no_scores():
    scores = SCORES["scores_of"]([])

    assert scores["median_error"] is None
    assert scores["named"] is None


def test_rules_of_thumb_are_scored_on_the_same_cases():
    ruled = result(100, 100, rules_of_thumb={"least squares": 120})

    assert SCORES["rule_errors"]([ruled, result(90, 100)]) == {
        "least squares": (pytest.approx(0.2), 1)
    }


def test_an_interval_is_not_judged_by_the_cases_that_it_was_drawn_from():
    scores = SCORES["scores_of"]([{**result(100, 130), "before_calibration": True}])

    assert scores["covered_80"] is None
    assert scores["median_error"] == pytest.approx(0.23, abs=0.01)
