"""A few trials of the campaign: something is done to one process of a run, and the rules hold."""

import runpy
from pathlib import Path

import pytest

CHAOS = runpy.run_path(str(Path(__file__).with_name("chaos.py")))


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("victim", "deed", "at_s"), [("cli", "kill", 6.0), ("worker", "kill", 9.0)]
)
def test_whatever_is_done_to_a_process_nothing_hangs_and_nothing_is_lost(
    tmp_path, victim, deed, at_s
):
    fault = {"victim": victim, "deed": deed, "at_s": at_s, "lasts_s": 1.0}

    assert [] == list(CHAOS["trial"](tmp_path / "trial", fault))


def test_a_campaign_is_the_same_for_one_seed_and_not_repeated(tmp_path, monkeypatch):
    made = []

    def trial(folder, fault):
        made.append(fault)
        return ["lost"] if len(made) == 2 else []

    monkeypatch.setitem(CHAOS["campaign"].__globals__, "trial", trial)
    first = CHAOS["campaign"](tmp_path, "1", 3)
    again = CHAOS["campaign"](tmp_path, "1", 4)

    assert {1: ["lost"]} == first == again
    assert [CHAOS["fault_of"]("1", number) for number in range(4)] == made
