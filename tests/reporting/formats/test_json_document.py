import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.errors import ConfigError
from capacity.domain.estimates import Estimate
from capacity.reporting.formats.json_document import parse, render


def test_a_plan_comes_back_as_it_was(plan):
    assert parse(render(plan)) == plan


def test_an_excuse_comes_back_as_it_was(excuse):
    assert parse(render(excuse)) == excuse
    assert parse(render(replace(excuse, generator=None))) == replace(excuse, generator=None)


def test_the_document_says_what_it_is(plan, excuse):
    of_plan, of_excuse = json.loads(render(plan)), json.loads(render(excuse))

    assert (of_plan["schema_version"], of_plan["kind"]) == (1, "plan")
    assert of_plan["plan"]["capacity"]["mid"] == 19_948
    assert of_plan["plan"]["binding"] == "descriptors"
    assert (of_excuse["schema_version"], of_excuse["kind"]) == (1, "excuse")
    assert of_excuse["excuse"]["reason"] == excuse.reason


def test_what_is_not_finite_survives_in_strict_json(plan):
    odd = replace(plan, condition_number=math.inf, extrapolation_ratio=-math.inf)

    def refuse(name):
        raise AssertionError(name)

    assert json.loads(render(odd), parse_constant=refuse)["plan"]["condition_number"] == "Infinity"
    assert parse(render(odd)) == odd


def test_a_wall_without_an_upper_end_survives_in_strict_json(plan):
    open_end = Estimate(low=700.0, mid=math.inf, high=math.inf, confidence=0.9)
    odd = replace(plan, ladder=(*plan.ladder, replace(plan.ladder[1], ceiling=open_end)))

    assert json.loads(render(odd))["plan"]["ladder"][-1]["ceiling"]["high"] == "Infinity"
    assert parse(render(odd)) == odd


def test_what_is_not_a_number_survives_too(plan):
    odd = parse(render(replace(plan, condition_number=math.nan)))

    assert math.isnan(odd.condition_number)


@given(st.tuples(*[st.floats(0, 1e12)] * 3), st.integers(0, 2**53), st.text(max_size=30))
def test_any_number_and_any_text_survive(plan, bounds, safe, text):
    low, mid, high = sorted(bounds)
    changed = replace(
        plan,
        capacity=Estimate(low=low, mid=mid, high=high, confidence=0.9),
        safe_capacity=safe,
        run=text,
    )

    assert parse(render(changed)) == changed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a plan document"),
        ("[]", "not a plan document"),
        ("{}", "schema_version"),
        ('{"schema_version": 2, "kind": "plan", "plan": {}}', "schema_version 2"),
        ('{"schema_version": 1, "kind": "poem", "poem": {}}', "kind 'poem'"),
        ('{"schema_version": 1, "kind": "plan", "plan": {"run": 7}}', "run: "),
        ('{"schema_version": 1, "kind": "plan"}', "plan"),
        ("[" * 100_000, "not a plan document"),
    ],
)
def test_anything_else_is_refused_in_one_sentence(text, said):
    with pytest.raises(ConfigError, match="not a plan document") as refusal:
        parse(text)

    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)
