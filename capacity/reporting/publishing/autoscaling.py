"""
Kubernetes manifests that scale on connections, with the target per pod that the plan computes.

Connections persist: a pod that is taken away ends its own. Scaling down therefore waits, and takes one
pod at a time. Apply one of the two manifests, never both: KEDA makes an autoscaler of its own.
"""

from typing import Any

import yaml

from capacity.reporting.publishing.publication import MANAGED_BY, Publication

_WAIT_S, _ONE_POD_EVERY_S = 600, 300


def horizontal_pod_autoscaler(about: Publication) -> str:
    """Return an autoscaling/v2 HPA on a custom metric of the pods (a metrics adapter serves it)."""
    return _document(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": _metadata(about),
            "spec": {
                "scaleTargetRef": {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "name": about.workload,
                },
                "minReplicas": about.least_instances,
                "maxReplicas": about.most_instances,
                "metrics": [
                    {
                        "type": "Pods",
                        "pods": {
                            "metric": {"name": about.metric},
                            "target": {
                                "type": "AverageValue",
                                "averageValue": str(about.connections_per_instance),
                            },
                        },
                    }
                ],
                "behavior": _behavior(),
            },
        },
        about,
    )


def scaled_object(about: Publication) -> str:
    """Return a KEDA ScaledObject that asks Prometheus."""
    return _document(
        {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledObject",
            "metadata": _metadata(about),
            "spec": {
                "scaleTargetRef": {"name": about.workload},
                "minReplicaCount": about.least_instances,
                "maxReplicaCount": about.most_instances,
                "cooldownPeriod": _WAIT_S,
                "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior()}},
                "triggers": [
                    {
                        "type": "prometheus",
                        "metricType": "AverageValue",
                        "metadata": {
                            "serverAddress": about.prometheus_url,
                            "query": f"sum({about.series})",
                            "threshold": str(about.connections_per_instance),
                        },
                    }
                ],
            },
        },
        about,
    )


def _metadata(about: Publication) -> dict[str, Any]:
    return {
        "name": about.workload,
        "namespace": about.namespace,
        "labels": {"app.kubernetes.io/managed-by": MANAGED_BY},
        "annotations": {"capacity/reason": about.reason, "capacity/run": about.plan.run},
    }


def _behavior() -> dict[str, Any]:
    return {
        "scaleDown": {
            "stabilizationWindowSeconds": _WAIT_S,
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": _ONE_POD_EVERY_S}],
        }
    }


def _document(document: dict[str, Any], about: Publication) -> str:
    head = f"# {about.connections_per_instance} connections a pod: {about.reason}\n"
    return head + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
