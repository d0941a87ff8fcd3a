"""Rules against figures. A figure that is missing does not hold any rule."""

import operator
from collections.abc import Callable, Sequence

from capacity.domain import units
from capacity.domain.answers.rules import (
    Condition,
    Dimension,
    Figure,
    Figures,
    Level,
    Rule,
    RuleResult,
    RuleStatus,
)

_ORDER: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}


def evaluate(rules: Sequence[Rule], figures: Figures) -> list[RuleResult]:
    return [_result(rule, figures[rule.condition.figure]) for rule in rules]


def _result(rule: Rule, figure: Figure) -> RuleResult:
    asked = rule.condition
    if figure.value is None:
        statement = f"{asked.figure} is missing: {figure.missing}"
        holds = False
    else:
        holds = _holds(asked, figure.value)
        statement = f"{asked.figure} is {_said(asked.figure, figure)}"
    failure = RuleStatus.WARNED if rule.level is Level.WARN else RuleStatus.FAILED
    return RuleResult(
        rule=rule,
        status=RuleStatus.PASSED if holds else failure,
        figure=figure,
        statement=statement,
    )


def _said(name: str, figure: Figure) -> str:
    """Return the value in words; headroom below nothing as the multiple that it stands for."""
    if name == "headroom" and isinstance(figure.value, float) and figure.value < 0.0:
        times = 1.0 - figure.value
        ratio = units.count(times) if times >= 10.0 else units.number(times)
        return f"none: demand is {ratio} times what the instances carry safely"
    return shown(figure)


def _holds(asked: Condition, value: float | frozenset[str]) -> bool:
    if isinstance(value, frozenset):
        assert isinstance(asked.bound, frozenset), "the parser has looked"
        match asked.operator:
            case "in":
                return bool(value) and value <= asked.bound
            case "not in":
                return not value & asked.bound
            case "==":
                return value == asked.bound
            case _:
                return value != asked.bound
    assert isinstance(asked.bound, float), "the parser has looked"
    return _ORDER[asked.operator](value, asked.bound)


def shown(figure: Figure) -> str:
    """Return the value for people."""
    value = figure.value
    if value is None:
        return "missing"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "none"
    return _SHOWN.get(figure.dimension, _count)(value)


def _count(value: float) -> str:
    return units.number(value, 4)


_SHOWN: dict[Dimension, Callable[[float], str]] = {
    Dimension.RATIO: lambda value: f"{units.number(value * 100)} %",
    Dimension.BYTES: units.size,
    Dimension.BYTES_PER_S: lambda value: f"{units.size(value)}/s",
    Dimension.SECONDS: units.duration,
    Dimension.CORES: lambda value: f"{units.number(value * 1e3)} millicores",
}
