from xml.etree import ElementTree as ET

import pytest

from capacity.domain.answers.rules import Dimension, Figure, Level, Rule, RuleResult, RuleStatus
from capacity.planning.rules.expression import condition
from capacity.reporting.formats.junit import render


def result(status, statement="headroom is 31 %", text="headroom >= 30 %", reason=""):
    return RuleResult(
        rule=Rule(condition=condition(text), level=Level.FAIL, reason=reason),
        status=status,
        figure=Figure(dimension=Dimension.RATIO, value=0.31),
        statement=statement,
    )


@pytest.fixture
def suite():
    results = [
        result(RuleStatus.PASSED),
        result(RuleStatus.FAILED, "headroom is 12 % <&\x00", reason="policy"),
        result(RuleStatus.WARNED, "headroom is 29 %"),
    ]
    return ET.fromstring(render(results, "run"))[0]


def test_counts_agree_with_the_cases(suite):
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    assert len(suite) == 3


def test_a_failure_says_what_was_found_and_why_it_is_asked(suite):
    (failure,) = suite.iter("failure")

    assert failure.get("message") == "headroom is 12 % <&\ufffd; policy"


def test_a_warning_passes_and_is_seen(suite):
    case = suite[2]

    assert case.find("failure") is None
    assert case.find("system-out").text == "warning: headroom is 29 %"


def test_a_case_is_named_by_its_rule(suite):
    assert suite[0].get("name") == "headroom >= 30 %"
    assert suite[0].get("classname") == "capacity.headroom"


def test_the_elements_and_attributes_are_those_that_ci_servers_know(suite):
    allowed = {
        "testcase": {"classname", "name", "time"},
        "failure": {"message", "type"},
        "system-out": set(),
        "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    }

    assert all(set(element.attrib) == allowed[element.tag] for element in suite.iter())
