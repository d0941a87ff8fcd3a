import pytest

from capacity.domain.answers.finding import Status
from capacity.domain.resources import AuditEntry, Limit, LimitState, Resource, Scaling
from capacity.domain.run import ClockOffset
from capacity.planning.safety import readiness


def queue_of(port, value):
    return AuditEntry(
        name=f"accept queue of port {port}",
        state=LimitState.KNOWN,
        value=value,
        unit="connections",
        scope="process",
        source="sock_diag",
        scales_with=Scaling.ARRIVALS,
    )


def limit(state, reason=None):
    return Limit(
        resource=Resource.CONNTRACK,
        state=state,
        value=None,
        scope="host",
        source="/proc/sys/net/netfilter/nf_conntrack_max",
        reason=reason,
    )


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (
            readiness.clock(ClockOffset(offset_s=0.2, error_s=0.001)),
            readiness.clock(ClockOffset(offset_s=0.0, error_s=0.2)),
        ),
        (readiness.sample_age(1.0, 1.0), readiness.sample_age(60.0, 1.0)),
        (readiness.agent_cost(0.004), readiness.agent_cost(0.03)),
        (
            readiness.unseen_limits([limit(LimitState.UNLIMITED)]),
            readiness.unseen_limits([limit(LimitState.UNKNOWN, "needs CAP_NET_ADMIN")]),
        ),
        (
            readiness.accept_queue([queue_of(443, 129)], 443, 200),
            readiness.accept_queue([queue_of(443, 129)], 443, 2000),
        ),
        (
            readiness.highest_level(500, 2000, "descriptors"),
            readiness.highest_level(1999, 2000, "descriptors"),
        ),
        (
            readiness.connection_tracking(1000, 20, 262_144),
            readiness.connection_tracking(60_000, 20, 65_536),
        ),
        (readiness.generator_memory(10_000, 1 << 30), readiness.generator_memory(60_000, 1 << 30)),
        (readiness.generator_cores(2, 2), readiness.generator_cores(3, 2)),
        (readiness.message_rate(1.0, 50_000, 1), readiness.message_rate(10.0, 50_000, 1)),
        (readiness.certificate(30 * 86_400), readiness.certificate(13 * 86_400)),
        (readiness.shared_host(is_shared=False), readiness.shared_host(is_shared=True)),
        (readiness.disk(1 << 40, "reports/runs"), readiness.disk(1 << 20, "reports/runs")),
    ],
    ids=lambda finding: finding.name,
)
def test_what_spoils_a_run_is_a_warning_with_a_fix_and_what_does_not_is_none(good, bad):
    assert (Status.OK, None) == (good.status, good.remedy)
    assert Status.WARNING is bad.status
    assert bad.remedy


def test_limits_that_could_not_be_read_are_named_with_the_privilege_that_helps():
    finding = readiness.unseen_limits([limit(LimitState.UNKNOWN, "needs CAP_NET_ADMIN")])

    assert "connection-tracking table (needs CAP_NET_ADMIN)" in finding.statement


def test_the_proposed_connect_rate_is_one_that_the_queue_outlasts():
    slow = readiness.accept_queue([queue_of(443, 65)], 443, 400)

    assert "connects_per_s in the profile to 130" in slow.remedy
    assert Status.OK is readiness.accept_queue([queue_of(443, 65)], 443, 130).status


def test_the_queue_of_another_port_says_nothing():
    finding = readiness.accept_queue([queue_of(80, 10)], 443, 400)

    assert Status.UNKNOWN is finding.status


def test_as_many_workers_as_proposed_take_the_messages():
    finding = readiness.message_rate(10.0, 50_000, 1)

    assert finding.remedy.startswith("Use 9 workers")
    assert Status.OK is readiness.message_rate(10.0, 50_000, 9).status


def test_what_nobody_says_is_unknown_and_not_good():
    assert Status.UNKNOWN is readiness.agent_cost(None).status
    assert Status.UNKNOWN is readiness.highest_level(100, None, None).status


@pytest.mark.parametrize(
    ("state", "value", "status", "said"),
    [
        (LimitState.KNOWN, 50.0, Status.OK, "50 connections, read from /a:1: maxconn 50"),
        (LimitState.UNLIMITED, None, Status.OK, "there is none, says /a:1: maxconn 50"),
        (LimitState.UNKNOWN, None, Status.WARNING, "unknown: a variable (/a:1: maxconn 50)"),
    ],
)
def test_what_the_application_admits_is_told_with_its_place(state, value, status, said):
    read = Limit(
        resource=Resource.APPLICATION_CONNECTIONS,
        state=state,
        value=value,
        scope="application",
        source="/a:1: maxconn 50",
        reason="a variable" if state is LimitState.UNKNOWN else None,
    )
    found = readiness.application_limit([read])

    assert (found.status, found.statement) == (status, said)


def test_a_target_of_which_no_configuration_is_read_has_no_finding():
    assert readiness.application_limit([]) is None
