"""A plan as a JSON document for programs, and back.

    {"schema_version": 1, "kind": "plan", "plan": {…}}
    {"schema_version": 1, "kind": "excuse", "excuse": {…}}

Fields are those of capacity/domain/plan.py, in base units. What is not finite is a string
("Infinity"), because JSON has no number for it.

Format history: 1 - first version.
"""

import json

from pydantic import TypeAdapter, ValidationError

from capacity.domain.errors import ConfigError
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.reporting.formats.finite import finite

SCHEMA_VERSION = 1

_PLAN: TypeAdapter[CapacityPlan] = TypeAdapter(CapacityPlan)
_EXCUSE: TypeAdapter[Excuse] = TypeAdapter(Excuse)


def render(plan: CapacityPlan | Excuse) -> str:
    """Return the document, ending in a line feed."""
    if isinstance(plan, Excuse):
        kind, content = "excuse", _EXCUSE.dump_python(plan, mode="json")
    else:
        kind, content = "plan", _PLAN.dump_python(plan, mode="json")
    document = {"schema_version": SCHEMA_VERSION, "kind": kind, kind: finite(content)}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def parse(text: str) -> CapacityPlan | Excuse:
    """Return what `render` was given. Raises ConfigError when *text* is no such document."""
    try:
        document = json.loads(text)
        version, kind = document["schema_version"], document["kind"]
        if version == SCHEMA_VERSION and kind in ("plan", "excuse"):
            return (_PLAN if kind == "plan" else _EXCUSE).validate_python(document[kind])
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"not a plan document: {key}: {first['msg']}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(f"not a plan document ({error!r})") from None
    raise ConfigError(
        f"not a plan document this program reads: schema_version {version!r} and kind {kind!r};"
        f' it reads {SCHEMA_VERSION} and "plan" or "excuse"'
    )
