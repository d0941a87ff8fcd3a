"""A subset of `make interop` that takes seconds; the rest is asked for by name."""

import runpy
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def stories():
    sys.path.insert(0, str(HERE))
    try:
        yield runpy.run_path(str(HERE / "stories.py"))
    finally:
        sys.path.remove(str(HERE))


@pytest.mark.parametrize("name", ["nginx with nchan", "NATS", "mosquitto"])
def test_we_receive_what_a_server_of_others_counts_as_sent(stories, name):
    outcomes = list(stories["server_outcomes"](name, connections=3, updates=40))
    if any(outcome.verdict == "unavailable" for outcome in outcomes):
        pytest.skip(outcomes[0].told)

    assert outcomes
    assert {outcome.verdict for outcome in outcomes} == {"agrees"}, outcomes


def test_what_cannot_be_had_is_said_and_no_success(stories, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    (outcome,) = stories["server_outcomes"]("Centrifugo")

    assert outcome.verdict == "unavailable"
    assert "centrifugo is not installed" in outcome.told


@pytest.mark.parametrize("environment", ["ccxt", "python-binance"])
def test_a_library_misses_the_updates_that_the_exchange_leaves_out_where_we_do(
    stories, environment
):
    referees = runpy.run_path(str(HERE / "at_the_exchange.py"))["EXCHANGE_REFEREES"]
    (referee,) = (each for each in referees if each.environment == environment)
    if not (HERE.parents[1] / ".interop" / environment / ".complete").exists():
        pytest.skip(f"{environment} is not installed; make interop does it")

    assert ["agrees"] == [each.verdict for each in referee.outcomes(5.0, (1.0,))]
