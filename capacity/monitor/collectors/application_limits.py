"""What the target's applications admit by their own configuration; how much of it is used is counted

by ConnectionsCollector. Read with the limits only, and anew where a file changed.
"""

from collections.abc import Iterable

from capacity.domain.resources import Limit
from capacity.monitor.collectors.base import TargetCollector
from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.applications.applications import Applications
from capacity.monitor.readings import READ_ERRORS, Reading


class ApplicationLimitsCollector(TargetCollector):
    provides = ()

    def __init__(self, listeners: TargetListeners, applications: Applications) -> None:
        self._listeners = listeners
        self._applications = applications

    def collect(self, target: TargetView) -> Reading:  # noqa: ARG002 - limits are all there is
        return Reading()

    def limits(self, target: TargetView) -> Iterable[Limit]:
        try:
            listening = self._listeners.read(target)
        except READ_ERRORS:
            listening = []  # Told by ConnectionsCollector.
        return self._applications.limits(target, listening)
