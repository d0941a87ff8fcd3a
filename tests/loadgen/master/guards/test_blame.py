import pytest

from capacity.loadgen.master.guards.blame import most_of, protocol_faults_in, refused_clause


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
