"""
Whether the target said that it shuts down when it ended the connections of a run.

Close codes 1001 (going away; RFC 6455, section 7.4.1) and 1012 (service restart; IANA) are what a server says
that was asked to end: by an operator, a deployment, or a supervisor whose health check this load failed. Which
of them it was is not known, so that the number of connections at that moment is no capacity. A cap that ends
some of the connections with such a code is none of this: most of them have to be gone.
"""

import re

from capacity.domain.observation import CutOffKind, StepObservation
from capacity.domain.run import RunRecord
from capacity.planning.evidence.endings.client_rule import TARGET_SAID
from capacity.planning.evidence.missing_evidence import Gap

PLANNED_SHUTDOWN = re.compile(r"\bclosed with (1001|1012)\b")
"""As a run records what the target said."""
MOST_RATIO = 0.5
"""Of a step's connections: how many have to be gone."""
_ENDED = frozenset({CutOffKind.LOST, CutOffKind.DIED})


def said_shutdown(record: RunRecord) -> Gap | None:
    """Return that the target shut down in the run, if it said so."""
    step = next((each for each in reversed(record.steps) if each.cut_off is not None), None)
    if step is None or step.cut_off is None or step.cut_off.kind not in _ENDED:
        return None
    if step.lost < MOST_RATIO * (step.connections_peak or 0) or not _was_said(record, step):
        return None
    return Gap(
        f"{step.cut_off.statement}. At how many connections that was says nothing of how many it holds.",
        "Measure again while nobody restarts it. If it shuts down at about as many connections again, this load"
        " is why: look at its health checks, its supervisor's log and its limits.",
    )


def _was_said(record: RunRecord, step: StepObservation) -> bool:
    texts = (
        event.detail.get("text")
        for event in record.events
        if event.kind == TARGET_SAID and event.at >= step.started_at
    )
    return any(isinstance(text, str) and PLANNED_SHUTDOWN.search(text) for text in texts)
