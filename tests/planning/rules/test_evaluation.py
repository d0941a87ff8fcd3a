import pytest

from capacity.domain.answers.rules import Dimension, Figure, Level, Rule, RuleStatus
from capacity.planning.rules.evaluation import evaluate, shown
from capacity.planning.rules.expression import condition


def rule(text, level=Level.FAIL):
    return Rule(condition=condition(text), level=level, reason="")


def status(text, value, level=Level.FAIL):
    asked = rule(text, level)
    figure = Figure(dimension=asked.condition.dimension, value=value, missing="not read")
    (result,) = evaluate([asked], {asked.condition.figure: figure})
    return result.status


@pytest.mark.parametrize(
    ("text", "holding", "failing"),
    [
        ("headroom >= 30 %", 0.3, 0.2999),
        ("headroom > 30 %", 0.3001, 0.3),
        ("delivery_delay.p99 <= 250 ms", 0.25, 0.2501),
        ("delivery_delay.p99 < 250 ms", 0.2499, 0.25),
        ("connections.lost == 0", 0.0, 1.0),
        ("connections.lost != 1", 0.0, 1.0),
        ("bottleneck in [memory, heap]", {"heap"}, {"cpu"}),
        ("caveats in [near_tie]", {"near_tie"}, {"near_tie", "bending"}),
        ("caveats not in [near_tie]", {"bending"}, {"near_tie", "bending"}),
        ("audit.changed == none", set(), {"memory"}),
        ("audit.changed != none", {"memory"}, set()),
        ("bottleneck == memory", {"memory"}, {"heap"}),
    ],
)
def test_a_rule_holds_up_to_its_bound_and_not_beyond(text, holding, failing):
    freeze = lambda value: frozenset(value) if isinstance(value, set) else value  # noqa: E731

    assert status(text, freeze(holding)) is RuleStatus.PASSED
    assert status(text, freeze(failing)) is RuleStatus.FAILED
    assert status(text, freeze(failing), Level.WARN) is RuleStatus.WARNED


@pytest.mark.parametrize(
    "text", ["headroom >= 0 %", "audit.changed == none", "caveats not in [near_tie]"]
)
def test_a_missing_figure_holds_no_rule(text):
    assert status(text, None) is RuleStatus.FAILED
    assert status(text, None, Level.WARN) is RuleStatus.WARNED


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0 %"),
        (-0.25, "none: demand is 1.25 times what the instances carry safely"),
        (-19676.0, "none: demand is 19,677 times what the instances carry safely"),
    ],
)
def test_headroom_below_nothing_is_told_as_a_multiple(value, said):
    figure = Figure(dimension=Dimension.RATIO, value=value)
    (result,) = evaluate([rule("headroom >= 30 %")], {"headroom": figure})

    assert result.statement == f"headroom is {said}"


def test_a_missing_figure_says_why():
    asked = rule("headroom >= 30 %")
    figure = Figure(dimension=Dimension.RATIO, value=None, missing="no demand is known")
    (result,) = evaluate([asked], {"headroom": figure})

    assert result.statement == "headroom is missing: no demand is known"


@pytest.mark.parametrize(
    ("dimension", "value", "text"),
    [
        (Dimension.RATIO, 0.312, "31.2 %"),
        (Dimension.BYTES, 12288.0, "12 KiB"),
        (Dimension.BYTES_PER_S, 2048.0, "2 KiB/s"),
        (Dimension.SECONDS, 0.25, "250 ms"),
        (Dimension.CORES, 0.002, "2 millicores"),
        (Dimension.COUNT, 985.0, "985"),
        (Dimension.COUNT, 4.0719, "4.072"),
        (Dimension.NAMES, frozenset({"b", "a"}), "a, b"),
        (Dimension.NAMES, frozenset(), "none"),
        (Dimension.COUNT, None, "missing"),
    ],
)
def test_values_are_shown_with_their_units(dimension, value, text):
    assert shown(Figure(dimension=dimension, value=value)) == text
