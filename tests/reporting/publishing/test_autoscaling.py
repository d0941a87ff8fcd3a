import jsonschema
import pytest
import yaml

from capacity.reporting.publishing.autoscaling import horizontal_pod_autoscaler, scaled_object

# What a ScaledObject must and may have, by KEDA's documentation of keda.sh/v1alpha1.
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
SCALED_OBJECT = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "keda.sh/v1alpha1"},
        "kind": {"const": "ScaledObject"},
        "spec": {
            "type": "object",
            "required": ["scaleTargetRef", "triggers"],
            "additionalProperties": False,
            "properties": {
                "scaleTargetRef": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {"name": {"type": "string"}},
                },
                "minReplicaCount": {"type": "integer"},
                "maxReplicaCount": {"type": "integer"},
                "cooldownPeriod": {"type": "integer"},
                "advanced": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {"horizontalPodAutoscalerConfig": {"type": "object"}},
                },
                "triggers": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["type", "metadata"],
                        "additionalProperties": False,
                        "properties": {
                            "type": {"const": "prometheus"},
                            "metricType": {"enum": ["AverageValue", "Value"]},
                            "metadata": {
                                **TEXTS,
                                "required": ["serverAddress", "query", "threshold"],
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_kubernetes_accepts_the_autoscaler(about, refused_by_kubernetes):
    assert refused_by_kubernetes(yaml.safe_load(horizontal_pod_autoscaler(about))) is None


def test_the_validator_would_notice_a_mistake(about, refused_by_kubernetes):
    manifest = yaml.safe_load(horizontal_pod_autoscaler(about))
    manifest["spec"]["maxReplica"] = manifest["spec"].pop("maxReplicas")

    assert "maxReplica" in refused_by_kubernetes(manifest)


def test_each_pod_is_to_carry_what_the_plan_says(about):
    manifest = yaml.safe_load(horizontal_pod_autoscaler(about))
    (metric,) = manifest["spec"]["metrics"]

    assert metric["pods"] == {
        "metric": {"name": "capacity_application_connections"},
        "target": {"type": "AverageValue", "averageValue": "14406"},
    }
    assert (manifest["metadata"]["name"], manifest["metadata"]["namespace"]) == ("feed", "market")
    assert manifest["spec"]["scaleTargetRef"]["name"] == "feed"


def test_keda_has_what_it_needs_and_nothing_that_it_does_not_know(about):
    manifest = yaml.safe_load(scaled_object(about))

    jsonschema.validate(manifest, SCALED_OBJECT)
    (trigger,) = manifest["spec"]["triggers"]
    assert trigger["metadata"]["threshold"] == "14406"
    assert trigger["metadata"]["query"] == 'sum(capacity_application_connections{job="feed"})'


def test_the_part_of_keda_that_is_kubernetes_own_is_valid_there(about, refused_by_kubernetes):
    manifest = yaml.safe_load(horizontal_pod_autoscaler(about))
    keda = yaml.safe_load(scaled_object(about))["spec"]["advanced"]["horizontalPodAutoscalerConfig"]
    manifest["spec"]["behavior"] = keda["behavior"]

    assert refused_by_kubernetes(manifest) is None


@pytest.mark.parametrize("render", [horizontal_pod_autoscaler, scaled_object])
def test_a_pod_is_taken_away_slowly_and_one_at_a_time(about, render):
    text = render(about)

    assert text.startswith("# 14406 connections a pod: safe capacity 19208")
    assert "stabilizationWindowSeconds: 600" in text
    assert "value: 1" in text
