import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.answers.sizing import Unanswered
from capacity.planning.advice.advice import advice
from capacity.reporting.proofs.answers import QUESTIONS, answer_proof, numbers_of_answers

EXAMPLE = runpy.run_path(
    str(Path(__file__).parents[2] / "planning" / "advice" / "example_demand.py")
)
PLAN = EXAMPLE["make_plan"]()
RECORD = EXAMPLE["make_ramped_record"](0.0008, 0.0002)
GROWING = EXAMPLE["make_demand"](growth_per_month=EXAMPLE["make_growth"](0.05, 0.01))


def advised(demand=GROWING, hosts=()):
    return replace(PLAN, advice=advice(RECORD, PLAN, demand, hosts))


@pytest.mark.parametrize(
    ("question", "heading"),
    [("sizing", "Demand"), ("storm", "Ramps"), ("exhaustion", "What the instances carry")],
)
def test_every_answer_has_its_proof(question, heading):
    assert answer_proof(question, RECORD, advised())[0].heading == heading


@pytest.mark.parametrize("question", ["sizing", "exhaustion"])
@pytest.mark.parametrize("plan", [PLAN, advised(demand=None)])
def test_without_a_demand_it_is_said_how_to_ask(question, plan):
    found = answer_proof(question, RECORD, plan)

    assert "without a demand" in found.reason
    assert "--demand" in found.remedy


def test_a_connect_is_explained_without_a_demand_too():
    (ramps,) = answer_proof("storm", RECORD, advised(demand=None))

    assert ramps.heading == "Ramps"


def test_an_answer_that_there_is_not_gives_its_reason():
    without_growth = EXAMPLE["make_demand"]()
    too_small = EXAMPLE["make_host"](memory_bytes=1024.0**2)
    restarted = replace(RECORD, events=())

    assert "no growth rate" in answer_proof("exhaustion", RECORD, advised(without_growth)).reason
    found = answer_proof("storm", RECORD, advised(hosts=[too_small]))
    assert [part.heading for part in found] == ["Ramps"]
    plan = replace(PLAN, advice=advice(restarted, PLAN, GROWING, ()))
    assert isinstance(answer_proof("storm", restarted, plan), Unanswered)


def test_every_number_of_an_answer_leads_to_its_question():
    found = dict(numbers_of_answers(advised(hosts=[EXAMPLE["make_host"]()]).advice))

    assert found[100_000.0] == "sizing"
    assert found[800.0] == "sizing"
    assert found[12_500.0] == "storm"
    assert set(found.values()) == set(QUESTIONS)
    assert numbers_of_answers(advised(demand=None).advice) == ()
