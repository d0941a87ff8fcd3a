from types import SimpleNamespace

import pytest

from capacity.loadgen.master.guards.blame import (
    admitted_of,
    held_clause,
    most_of,
    private_clause,
    protocol_faults_in,
    refused_clause,
    tries_in_words,
    whole_clients_of,
)


@pytest.mark.parametrize(
    ("failures", "said"),
    [
        ({}, ""),
        ({"connection_ended": 3, "dns_failed": 2}, ", most by connection_ended (3 times)"),
        (
            {"generator_ports": 3, "connect_reset": 2},
            ", most by generator_ports (3 times: the generator's own doing)",
        ),
        (
            {"text_not_utf8": 3},
            ", most by text_not_utf8 (3 times: the target broke the protocol)",
        ),
    ],
)
def test_the_most_frequent_reason_is_named_with_whose_doing_it_was(failures, said):
    assert said == most_of(failures)


def test_faults_of_the_protocol_are_told_from_refusals_and_losses():
    failures = {"frame_invalid": 2, "memory_budget": 1, "connection_reset": 5, "connect_refused": 4}

    assert {"frame_invalid": 2, "memory_budget": 1} == protocol_faults_in(failures)


@pytest.mark.parametrize(
    ("failures", "said"),
    [
        ({}, ""),
        ({"connection_ended": 3}, ""),
        ({"connect_timeout": 1}, ": 1 attempt failed, mostly connect_timeout"),
        (
            {"handshake_rejected_429": 8, "connect_timeout": 1},
            (
                ": 9 attempts failed, mostly handshake_rejected_429 (too many from one address: set"
                " source_addresses in the target file)"
            ),
        ),
    ],
)
def test_attempts_that_were_refused_are_counted_with_what_the_reason_means(failures, said):
    assert said == refused_clause(failures)


@pytest.mark.parametrize(
    ("failures", "admitted"),
    [({"handshake_closed_1013": 30}, 150), ({"handshake_rejected_503": 11}, 180), ({}, 180)],
)
def test_who_is_refused_behind_the_upgrade_was_open_and_not_let_in(failures, admitted):
    assert admitted == admitted_of(180, holding(150), failures)


@pytest.mark.parametrize(
    ("unanswered", "waiting", "said"),
    [
        (0, 0, "no update came"),
        (2, 0, "2 connect attempts timed out"),
        (2, 1, "2 connect attempts timed out and 1 connect attempt had no answer yet"),
    ],
)
def test_what_became_of_attempts_that_nobody_answered(unanswered, waiting, said):
    assert said == tries_in_words(unanswered, waiting)


def holding(connections, private=0, whole=None):
    return SimpleNamespace(open_connections=connections, open_private=private, whole_clients=whole)


@pytest.mark.parametrize(
    ("connections", "private", "per_client", "whole"),
    [
        (34, 12, 2, 24),
        (34, 22, 2, 24),
        (24, 12, 2, 24),
        (33, 11, 3, 33),
        (32, 11, 3, 30),
        (7, 0, 2, 0),
    ],
)
def test_only_connections_of_whole_clients_count_towards_a_mix(
    connections, private, per_client, whole
):
    assert whole == whole_clients_of(connections, private, per_client)


def test_a_target_that_lets_fewer_log_in_admitted_whole_clients_alone():
    held = holding(34, private=12, whole=24)

    assert 24 == admitted_of(34, held, {"handshake_opening_refused": 3})
    assert " of whole clients (34 were open, 12 of them private)" == held_clause(held)
    assert "" == held_clause(holding(24, private=12, whole=24)) == held_clause(holding(24))


def test_a_refusal_says_how_many_of_the_attempts_were_private():
    failures = {"handshake_opening_refused": 12, "connect_refused": 3}

    assert refused_clause(failures, {"handshake_opening_refused": 12}).endswith(
        "15 attempts failed, mostly handshake_opening_refused, private: 12 refused, mostly"
        " handshake_opening_refused"
    )
    assert "private" not in refused_clause(failures, {"subscribe_rejected": 2})
    assert "" == private_clause({})
