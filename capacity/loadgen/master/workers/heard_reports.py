"""Which reports of the workers were heard: of this run, each once, and none lost on the way.

Every report has a number. One that comes twice is counted once, one of another run is nobody's, and one
that is missing between two others makes the steps void that it may have belonged to.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

Tag = tuple[int, str]
"""Step and phase that something was counted under."""


@dataclass(slots=True)
class _Heard:
    """Of one worker."""

    last: int = 0
    """Highest number so far."""
    tag: Tag = (-1, "")
    """Of that report."""
    missing: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Number -> the first and the last step that it may have belonged to."""


class HeardReports:
    def __init__(self, run: str) -> None:
        self._run = run
        self._workers: dict[str, _Heard] = {}

    def is_new(self, worker: str, report: Mapping[str, Any]) -> bool:
        """Take a report; return whether it is of this run and was not heard before."""
        if report["run"] != self._run:
            return False
        heard, number = self._workers.setdefault(worker, _Heard()), report["number"]
        if number <= heard.last:
            return heard.missing.pop(number, None) is not None
        steps = max(0, heard.tag[0]), report["index"]
        heard.missing |= dict.fromkeys(range(heard.last + 1, number), steps)
        heard.last, heard.tag = number, (report["index"], report["phase"])
        return True

    def tag(self, worker: str) -> Tag | None:
        """Return what a worker counts under, None of one that was not heard yet."""
        heard = self._workers.get(worker)
        return None if heard is None else heard.tag

    def newest_index(self, workers: AbstractSet[str]) -> int:
        """Return the last step that any of *workers* has begun, -1 while none has."""
        return max(
            (self._workers[each].tag[0] for each in workers & self._workers.keys()), default=-1
        )

    def missing(self, index: int) -> int:
        """Count the reports that may have belonged to a step and did not come."""
        return sum(
            first <= index <= max(first, last)
            for heard in self._workers.values()
            for first, last in heard.missing.values()
        )
