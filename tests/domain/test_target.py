from dataclasses import replace

import pytest

from capacity.domain.errors import ConfigError
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.target import LatencyObjective, TargetSpec

DOCUMENT = {
    "name": "venue",
    "host": "10.0.0.5",
    "port": 443,
    "limits": {"application_connections": {"value": 1024, "source": "worker_connections"}},
    "arrival_limit": {"value": 50, "source": "limit_req"},
    "slo": {
        "request_latency": {"quantile": 0.9, "limit_s": 0.5},
        "delivery_delay": {"quantile": 0.99, "limit_s": 0.1},
        "handshake_time": None,
    },
}


def test_a_document_says_what_is_declared_and_by_whom():
    found = TargetSpec.from_document(DOCUMENT)

    assert (found.name, found.host, found.port) == ("venue", "10.0.0.5", 443)
    assert found.arrival_limit_per_s == 50.0
    assert found.document == DOCUMENT
    assert found.limits == (
        Limit(
            resource=Resource.APPLICATION_CONNECTIONS,
            state=LimitState.KNOWN,
            value=1024.0,
            scope="declared",
            source="worker_connections",
        ),
    )


def test_objectives_stand_in_the_order_of_their_names():
    assert TargetSpec.from_document(DOCUMENT).objectives == (
        LatencyObjective(resource=Resource.DELIVERY_DELAY, limit_s=0.1, quantile=0.99),
        LatencyObjective(resource=Resource.REQUEST_LATENCY, limit_s=0.5, quantile=0.9),
    )


@pytest.mark.parametrize("document", [{}, {"limits": None, "slo": None, "arrival_limit": None}])
def test_what_a_document_does_not_say_is_not_known(document):
    assert replace(TargetSpec.from_document(document), document={}) == TargetSpec()


def test_keys_of_another_version_are_kept_and_say_nothing():
    document = {"colour": "blue", "slo": {"of_tomorrow": {"limit_s": 1.0, "quantile": 0.5}}}
    found = TargetSpec.from_document(document)

    assert found.objectives == ()
    assert found.document == document


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("limits", ["x"]),
        ("limits", {"beer": {"value": 1, "source": "s"}}),
        ("limits", {"cpu": {}}),
        ("arrival_limit", 3),
        ("arrival_limit", {"source": "s"}),
        ("slo", "fast"),
        ("private", {"dialect": "okx-private"}),
        ("private", {"connections_per_client": None}),
        ("slo", {"delivery_delay": 3}),
        ("slo", {"delivery_delay": {"limit_s": "soon", "quantile": 0.95}}),
        ("slo", {"delivery_delay": {"limit_s": 1.0}}),
    ],
)
def test_what_is_impossible_is_refused_in_one_sentence_that_names_the_key(key, value):
    with pytest.raises(ConfigError, match=rf"target\.{key}: ") as found:
        TargetSpec.from_document({key: value})

    assert "\n" not in str(found.value)


def test_a_client_holds_one_connection_unless_some_are_private():
    private = {"private": {"connections_per_client": 3}}

    assert [1, 3] == [
        TargetSpec.from_document(each).connections_per_client for each in (DOCUMENT, private)
    ]


def test_a_name_or_port_of_the_wrong_type_is_none():
    found = TargetSpec.from_document({"name": ["a"], "port": "443"})

    assert (found.name, found.port) == (None, None)
