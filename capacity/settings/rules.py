"""config/rules.yaml: what must hold of a run's figures, for a pipeline to go on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter

from capacity.domain.answers.rules import Level, Rule
from capacity.domain.errors import ConfigError
from capacity.planning.rules.expression import condition
from capacity.settings.yaml_files.models import RULES
from capacity.settings.yaml_files.yaml_file import Finding, load


class RuleLine(BaseModel):
    model_config = RULES
    rule: Annotated[str, Field(min_length=1)]
    """Figure, operator and bound with its unit: `headroom >= 30 %`."""
    level: Level = Level.FAIL
    """What a rule that does not hold is worth; a missing figure holds no rule."""
    why: str = ""
    """Reason for the rule, shown beside its result."""


class RulesFile(BaseModel):
    model_config = RULES
    rules: Literal[1]
    """Version of this file format."""
    check: Annotated[tuple[RuleLine, ...], Field(min_length=1, max_length=200)]
    """The rules, in the order in which they are shown."""


ADAPTER = TypeAdapter(RulesFile)


def load_rules(path: Path) -> tuple[Rule, ...]:
    """Return the rules in *path*. Raises ConfigError with file, line and key of each mistake."""
    file = load(path, ADAPTER, _findings)
    return tuple(
        Rule(condition=condition(line.rule), level=line.level, reason=line.why)
        for line in file.check
    )


def _findings(file: RulesFile) -> Iterator[Finding]:
    for index, line in enumerate(file.check):
        try:
            condition(line.rule)
        except ConfigError as error:
            yield ("check", index, "rule"), str(error)
