"""
The safe capacity as an OpenSLO objective: an instance holds no more connections than that.

Latency objectives of the target file are not published: which live metric would tell them, nobody
told us.
"""

import yaml

from capacity.reporting.publishing.publication import MANAGED_BY, Publication

_KEPT_RATIO = 0.999
"""Share of the minutes in which it is to hold."""


def render(about: Publication) -> str:
    """Return the service and its objective as two openslo/v1 documents."""
    service = {
        "apiVersion": "openslo/v1",
        "kind": "Service",
        "metadata": {"name": about.workload, "displayName": about.target},
        "spec": {"description": f"Target {about.target}, as measured by {MANAGED_BY}."},
    }
    objective = {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {
            "name": f"{about.workload}-connections",
            "displayName": f"Connections of {about.target} within its safe capacity",
        },
        "spec": {
            "description": about.measured,
            "service": about.workload,
            "indicator": {
                "metadata": {
                    "name": f"{about.workload}-connections-of-fullest-instance",
                    "displayName": "Connections of the fullest instance",
                },
                "spec": {
                    "thresholdMetric": {
                        "metricSource": {
                            "type": "Prometheus",
                            "spec": {"query": f"max({about.series})"},
                        }
                    }
                },
            },
            "timeWindow": [{"duration": "28d", "isRolling": True}],
            "budgetingMethod": "Timeslices",
            "objectives": [
                {
                    "displayName": "Within the safe capacity",
                    "op": "lte",
                    "value": about.plan.safe_capacity,
                    "target": _KEPT_RATIO,
                    "timeSliceTarget": 1.0,
                    "timeSliceWindow": "1m",
                }
            ],
        },
    }
    return yaml.safe_dump_all([service, objective], sort_keys=False, allow_unicode=True, width=100)
