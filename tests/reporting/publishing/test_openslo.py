import jsonschema
import pytest
import yaml

from capacity.reporting.publishing.openslo import render

# By the specification of openslo/v1: what an SLO must have and may have of what we write.
NAME = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}
METADATA = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {"name": NAME, "displayName": {"type": "string"}},
}
DURATION = {"type": "string", "pattern": "^[1-9][0-9]*[mhdwMQY]$"}
SLO = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "openslo/v1"},
        "kind": {"const": "SLO"},
        "metadata": METADATA,
        "spec": {
            "type": "object",
            "required": ["service", "indicator", "timeWindow", "budgetingMethod", "objectives"],
            "additionalProperties": False,
            "properties": {
                "description": {"type": "string", "maxLength": 1050},
                "service": NAME,
                "indicator": {
                    "type": "object",
                    "required": ["metadata", "spec"],
                    "properties": {
                        "metadata": METADATA,
                        "spec": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["thresholdMetric"],
                            "properties": {
                                "thresholdMetric": {
                                    "type": "object",
                                    "required": ["metricSource"],
                                    "properties": {
                                        "metricSource": {
                                            "type": "object",
                                            "required": ["type", "spec"],
                                        }
                                    },
                                }
                            },
                        },
                    },
                },
                "timeWindow": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["duration", "isRolling"],
                        "additionalProperties": False,
                        "properties": {"duration": DURATION, "isRolling": {"type": "boolean"}},
                    },
                },
                "budgetingMethod": {"enum": ["Occurrences", "Timeslices", "RatioTimeslices"]},
                "objectives": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        # Timeslices need both of theirs, and a threshold its operator and value.
                        "required": ["op", "value", "target", "timeSliceTarget", "timeSliceWindow"],
                        "additionalProperties": False,
                        "properties": {
                            "displayName": {"type": "string"},
                            "op": {"enum": ["lte", "gte", "lt", "gt"]},
                            "value": {"type": "number"},
                            "target": {
                                "type": "number", "minimum": 0, "exclusiveMaximum": 1,
                            },
                            "timeSliceTarget": {
                                "type": "number", "exclusiveMinimum": 0, "maximum": 1,
                            },
                            "timeSliceWindow": DURATION,
                        },
                    },
                },
            },
        },
    },
}  # fmt: skip


@pytest.fixture
def documents(about):
    return list(yaml.safe_load_all(render(about)))


def test_the_objective_is_one_by_the_specification(documents):
    _service, objective = documents

    assert [] == list(jsonschema.Draft202012Validator(SLO).iter_errors(objective))


def test_the_service_that_it_names_is_there(documents):
    service, objective = documents

    assert (service["kind"], service["apiVersion"]) == ("Service", "openslo/v1")
    assert objective["spec"]["service"] == service["metadata"]["name"]


def test_the_objective_is_the_safe_capacity(documents):
    (objective,) = documents[1]["spec"]["objectives"]

    assert (objective["op"], objective["value"]) == ("lte", 19_208)
