"""
Steps that a search for the limit found to fail: bounds on the capacity like any other limit that was met.
"""

from collections.abc import Mapping

from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord

TRIAL = "trial"
_KINDS: Mapping[str, CutOffKind] = {
    "not_all_open": CutOffKind.NOT_REACHED,
    "dropped": CutOffKind.LOST,
    "not_served": CutOffKind.UNSERVED,
    "not_receiving": CutOffKind.SATURATED,
}
"""By the condition that did not hold; every other one is an objective."""


def failed_trials(record: RunRecord) -> dict[int, CutOff]:
    """Return by index how each step failed that was a trial of a search; older runs do not say which."""
    found: dict[int, CutOff] = {}
    for event in record.events:
        failure, index = event.detail.get("failure"), event.detail.get("index")
        if event.kind != TRIAL or not isinstance(failure, str) or not isinstance(index, int):
            continue
        kind = _KINDS.get(failure, CutOffKind.OBJECTIVE)
        if kind is CutOffKind.OBJECTIVE and failure not in set(Resource):
            continue
        count = event.detail.get("held" if kind is CutOffKind.NOT_REACHED else "connections")
        if isinstance(count, int) and count > 0:
            found[index] = CutOff(
                kind=kind,
                statement=str(event.detail.get("reason", failure)),
                connections=count,
                resource=Resource(failure) if kind is CutOffKind.OBJECTIVE else None,
            )
    return found
