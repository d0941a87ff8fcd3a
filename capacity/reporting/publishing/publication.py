"""What a plan is published with: whose it is, and what one instance is to carry."""

import math
import re
from dataclasses import dataclass

from capacity.domain.plan import CapacityPlan
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.domain.words import RESOURCES
from capacity.monitor.serving.exposition import metric_name

CONNECTIONS_METRIC = metric_name(Resource.APPLICATION_CONNECTIONS)
"""Open connections of an instance, as our agent serves them."""
MANAGED_BY = "capacity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A plan, its run, and the names of what it is about."""

    record: RunRecord
    plan: CapacityPlan
    workload: str
    """Name of the Deployment (DNS label)."""
    namespace: str
    headroom_ratio: float
    """Share of the safe capacity that is kept free."""
    metric: str = CONNECTIONS_METRIC
    """Prometheus metric of the open connections of one instance."""
    selector: str = ""
    """Label matchers for it, such as job="feed"."""
    prometheus_url: str = "http://prometheus.monitoring.svc:9090"
    least_instances: int = 2
    most_instances: int = 20

    @property
    def target(self) -> str:
        return self.record.manifest.target.name or "target"

    @property
    def connections_per_instance(self) -> int:
        """Return what an autoscaler is to aim at: the safe capacity less headroom; at least 1."""
        return max(math.floor(self.plan.safe_capacity * (1.0 - self.headroom_ratio) + 1e-9), 1)

    @property
    def series(self) -> str:
        """Return the selector of the connections of every instance."""
        return f"{self.metric}{{{self.selector}}}" if self.selector else self.metric

    @property
    def measured(self) -> str:
        """Return in one line the safe capacity, and where it comes from."""
        plan = self.plan
        return (
            f"safe capacity {plan.safe_capacity} connections (bottleneck:"
            f" {RESOURCES[plan.binding]}; run {plan.run})"
        )

    @property
    def reason(self) -> str:
        """Return in one line where the connections per instance come from."""
        return f"{self.measured}, less {self.headroom_ratio:.0%} headroom"


def dns_label(text: str) -> str:
    """Return *text* as a Kubernetes name: lower case letters, digits and dashes."""
    label = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:50].strip("-")
    return label or "target"
