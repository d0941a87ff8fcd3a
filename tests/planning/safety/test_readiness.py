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
    assert finding.remedy.startswith("Run the agent as the target's user or as root")


def test_what_exporters_do_not_publish_an_agent_would_read():
    finding = readiness.unseen_limits([limit(LimitState.UNKNOWN)], is_agent=False)

    assert finding.remedy.startswith("Use `capacity agent`, or declare them")


@pytest.mark.parametrize(
    ("reason", "is_helped"),
    [
        ("no permission to read /proc/1/limits", True),
        ("run it in the host's network namespace", False),
    ],
)
def test_nobody_is_told_to_be_root_where_it_does_not_help(reason, is_helped):
    finding = readiness.unseen_limits([limit(LimitState.UNKNOWN, reason)])

    assert ("as root" in finding.remedy) == is_helped


def test_the_proposed_connect_rate_is_one_that_the_queue_outlasts():
    slow = readiness.accept_queue([queue_of(443, 65)], 443, 400)

    assert "connects_per_s in the profile to 130" in slow.remedy
    assert Status.OK is readiness.accept_queue([queue_of(443, 65)], 443, 130).status


def test_the_queue_of_another_port_says_nothing():
    finding = readiness.accept_queue([queue_of(80, 10)], 443, 400)

    assert Status.UNKNOWN is finding.status


def test_sockets_that_may_not_be_seen_are_told_from_those_that_are_not_there():
    hidden = readiness.accept_queue([], 443, 400, has_seen_ports=False)
    absent = readiness.accept_queue([], 443, 400)

    assert Status.UNKNOWN is hidden.status
    assert hidden.remedy == "Run the agent as the target's user or as root"
    assert absent.remedy.startswith("Let the agent watch the process that listens there")


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


@pytest.mark.parametrize(
    ("finding_of", "good", "bad"),
    [
        (lambda error_s: readiness.clock(ClockOffset(offset_s=0.0, error_s=error_s)), 0.05, 0.0501),
        (lambda age_s: readiness.sample_age(age_s, 2.0), 7.0, 7.01),
        (readiness.agent_cost, 0.01, 0.0101),
        (lambda per_s: readiness.accept_queue([queue_of(443, 50)], 443, per_s), 100.0, 100.1),
        (lambda count: readiness.highest_level(count, 2000, "descriptors"), 1800, 1801),
        (lambda count: readiness.connection_tracking(count, 100, 1000), 800, 801),
        (lambda count: readiness.generator_memory(count, 2000 * 16 * 1024.0), 1000, 1001),
        (lambda count: readiness.generator_cores(count, 4), 4, 5),
        (lambda count: readiness.message_rate(2.0, count, 3), 90_000, 90_001),
        (readiness.certificate, 14 * 86_400.0, 14 * 86_400.0 - 1.0),
        (lambda free: readiness.disk(free, "reports/runs"), 256 * 2.0**20, 256 * 2.0**20 - 1.0),
    ],
)
def test_each_bound_is_where_it_says(finding_of, good, bad):
    assert (Status.OK, Status.WARNING) == (finding_of(good).status, finding_of(bad).status)


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        (readiness.sample_age(-1.0, 1.0), "newest sample is 0 s old"),
        (readiness.accept_queue([queue_of(443, 50)], 443, 400.0), "holds 50 connections, which is 125 ms"),
        (readiness.connection_tracking(900, 100, 1000), "nf_conntrack_max to 2,000"),
        (readiness.generator_memory(1000, 1e6), "1,000 sockets need about 15.6 MiB"),
        (readiness.message_rate(2.5, 40_000, 1), "which makes 100,000 updates/s"),
        (readiness.message_rate(2.5, 40_000, 1), "can receive 60,000 updates/s"),
        (readiness.message_rate(1.0, 120_000, 1), "Use 2 workers"),
        (readiness.message_rate(1.0, 120_001, 1), "Use 3 workers"),
        (readiness.certificate(13.9 * 86_400), "expires in 13 days"),
        (readiness.disk(1e6, "reports/runs"), "Free at least 256 MiB"),
        (readiness.unseen_limits([limit(LimitState.UNKNOWN)] * 2), "2 limits of 2 unknown"),
        (readiness.unseen_limits([limit(LimitState.UNKNOWN)]), "(/proc/sys/net/netfilter/"),
        (readiness.unseen_limits([limit(LimitState.UNLIMITED)]), "1 limit read, none unknown"),
    ],
)  # fmt: skip
def test_each_number_is_said(finding, said):
    assert said in f"{finding.statement} {finding.remedy}"


def test_the_smallest_of_the_ports_queues_counts_and_one_that_is_not_read_does_not():
    queues = [queue_of(443, None), queue_of(443, 70), queue_of(443, 50), queue_of(80, 10)]

    assert "it holds 50 connections" in readiness.accept_queue(queues, 443, 1.0).statement
    assert Status.UNKNOWN is readiness.accept_queue(queues[:1], 443, 1.0).status


def test_a_declared_cap_of_the_application_is_told_as_declared():
    declared = Limit(
        resource=Resource.APPLICATION_CONNECTIONS,
        state=LimitState.KNOWN,
        value=50.0,
        scope="declared",
        source="the target file",
    )

    assert "declared as the target file" in readiness.application_limit([declared]).statement
