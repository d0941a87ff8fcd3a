import runpy
from pathlib import Path

import pytest

from capacity.models.latency.misses import SCATTERED

SHOOTOUT = runpy.run_path(str(Path(__file__).parent / "shootout.py"))
SCORES = SHOOTOUT["scores"]()


def test_the_series_are_those_of_31_runs_on_21_servers() -> None:
    series = SHOOTOUT["series"]()

    assert (31, 21) == (len(series), len({one.server for one in series}))


def test_the_table_of_the_product_is_the_one_learned_from_the_series() -> None:
    learned = SHOOTOUT["learned"](
        {share: SHOOTOUT["forecasts"](share) for share in (0.75, 0.5, 0.25)}
    )
    numbers = [(miss.ratio, miss.log_bias, miss.half_width_90) for miss in learned]

    assert numbers == [
        pytest.approx((miss.ratio, miss.log_bias, miss.half_width_90), abs=6e-4)
        for miss in SCATTERED
    ]


@pytest.mark.parametrize(("share", "error"), [(0.75, 0.09), (0.5, 0.09), (0.25, 0.21)])
def test_a_server_never_seen_is_forecast_within_the_stated_median_error(
    share: float, error: float
) -> None:
    assert SCORES[share].error <= error


def test_the_80_percent_interval_covers_75_to_87_percent_of_all_forecasts() -> None:
    covered = sum(score.covered_80 for score in SCORES.values()) / len(SCORES)

    assert 0.75 <= covered <= 0.87
