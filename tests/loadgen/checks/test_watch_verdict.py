"""What is said of an agent, from what it saw and from who listens on the port."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.answers.finding import Status
from capacity.domain.resources import APPLICATION, Limit, LimitState, Resource
from capacity.domain.sample import Destination, PortHolder
from capacity.loadgen.checks.watch_verdict import Holders, judged
from capacity.planning.evidence.identity.count_gains import Rise

AGENT = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))
INFO = AGENT["agent_info"](
    host="venue-1", target_name="other", target_pids=(7,), listening_ports=(25080,)
)
STRANGER = PortHolder(pid=9, name="service", is_watched=False)
NONE = Rise(opened=5, gained={Resource.DESCRIPTORS: 0.0}, is_seen=False)
SOME = Rise(opened=5, gained={Resource.DESCRIPTORS: 2.0}, is_seen=False)
ALL = Rise(opened=5, gained={Resource.DESCRIPTORS: 5.0}, is_seen=True)
UNTOLD = Rise(opened=5, gained={}, is_seen=None, unknown="no count is read")


CAP = Limit(
    resource=Resource.APPLICATION_CONNECTIONS,
    state=LimitState.KNOWN,
    value=1000.0,
    scope=APPLICATION,
    source="maxconn",
)


def holders(*during, before=()):
    return Holders(before=tuple(before), during=during)


def leading(watched, to_watched, connections=5):
    there = Destination(
        address="10.0.0.2", port=8080, connections=connections, is_watched=to_watched
    )
    return PortHolder(pid=9, name="relay", is_watched=watched, destinations=(there,))


@pytest.mark.parametrize(("letters", "is_whole"), [(60, True), (61, False)])
def test_a_process_is_named_by_60_letters(letters, is_whole):
    named = PortHolder(pid=9, name="n" * letters, is_watched=False)
    said = judged(NONE, INFO, "the agent", 25100, holders(named)).finding.statement

    assert is_whole is (f"as {'n' * letters} (pid 9) does" in said)


@pytest.mark.parametrize(
    ("rise", "holders", "status", "said"),
    [
        (ALL, holders(), Status.OK, "gained 5 descriptors"),
        (NONE, holders(STRANGER), Status.FAILURE, "port 25100, as service (pid 9) does"),
        (NONE, holders(), Status.FAILURE, "and does not listen on port 25100"),
        (
            NONE,
            holders(PortHolder(pid=7, name="other", is_watched=True)),
            Status.FAILURE,
            "they reach another host or instance",
        ),
        # Connections that a relay shares are few, but not nobody's.
        (NONE, holders(leading(False, True)), Status.WARNING, "come through relay (pid 9)"),
        (ALL, holders(leading(False, True)), Status.WARNING, "come through relay (pid 9)"),
        # A load balancer elsewhere spreads them.
        (SOME, holders(), Status.WARNING, "the others went elsewhere"),
        (SOME, holders(STRANGER), Status.FAILURE, "as service (pid 9) does"),
        (ALL, holders(leading(True, False)), Status.WARNING, "only relays to"),
        # A pool of connections that was there before is no relay's.
        (
            ALL,
            holders(leading(True, False, 20), before=[leading(True, False, 20)]),
            Status.OK,
            "gained 5 descriptors",
        ),
        (UNTOLD, holders(), Status.UNKNOWN, "no count is read"),
        (UNTOLD, holders(STRANGER), Status.WARNING, "service (pid 9) listens on port"),
    ],
)
def test_what_is_said_follows_from_the_counts_and_from_who_listens(rise, holders, status, said):
    finding = judged(rise, INFO, "the agent at URL", 25100, holders).finding

    assert status is finding.status
    assert said in finding.statement
    assert (finding.remedy is not None) is (status not in {Status.OK, Status.UNKNOWN})


def test_the_cap_of_a_relay_in_front_bounds_the_target():
    relay = replace(leading(False, True), limits=(CAP,))
    found = judged(ALL, INFO, "the agent", 25100, holders(relay))

    assert (CAP,) == found.limits
    assert "of whose limits only that on connections was read" in found.finding.statement


@pytest.mark.parametrize(("gained", "limits"), [(90, (CAP,)), (89, ())])
def test_the_cap_of_an_upstream_counts_where_it_gets_nearly_all_connections(gained, limits):
    relay = leading(True, False, gained)
    upstream = replace(relay.destinations[0], limits=(CAP,))
    rise = Rise(opened=100, gained={Resource.DESCRIPTORS: 200.0}, is_seen=True)
    found = judged(
        rise, INFO, "the agent", 25100, holders(replace(relay, destinations=(upstream,)))
    )

    assert limits == found.limits
    assert found.passes_on_to is not None


@pytest.mark.parametrize(("gained", "limits"), [(90, (CAP,)), (89, ())])
def test_the_cap_of_what_a_relay_in_the_target_leads_to_counts_likewise(gained, limits):
    relay = leading(True, True, gained)
    inner = replace(relay.destinations[0], limits=(CAP,))
    rise = Rise(opened=100, gained={Resource.DESCRIPTORS: 200.0}, is_seen=True)
    found = judged(rise, INFO, "the agent", 25100, holders(replace(relay, destinations=(inner,))))

    assert (limits, None, Status.OK) == (found.limits, found.passes_on_to, found.finding.status)


def test_what_a_relay_leads_to_by_a_unix_socket_is_named_by_its_path():
    there = Destination(
        address="unix:/run/a.sock", port=0, connections=5, is_watched=False, pid=3, name="core"
    )
    relay = PortHolder(pid=9, name="relay", is_watched=True, destinations=(there,))
    found = judged(ALL, INFO, "the agent", 25100, holders(relay))

    assert "unix:/run/a.sock (core (pid 3))" == found.passes_on_to


@pytest.mark.parametrize(
    ("connections", "before", "is_relay"),
    [(3, 0, True), (2, 0, False), (5, 2, True), (5, 3, False)],
)
def test_half_of_what_was_accepted_and_passed_on_makes_a_relay(connections, before, is_relay):
    found = judged(
        ALL,
        INFO,
        "the agent",
        25100,
        holders(leading(True, False, connections), before=[leading(True, False, before)]),
    )

    assert is_relay is (found.passes_on_to is not None)


def test_what_stands_behind_a_stranger_may_be_meant_and_is_named():
    there = Destination(
        address="10.0.0.2", port=8080, connections=5, is_watched=False, pid=3, name="core"
    )
    stranger = replace(STRANGER, destinations=(there,))
    named = judged(NONE, INFO, "the agent", 25100, holders(stranger)).finding.remedy
    hidden = replace(stranger, destinations=(replace(there, pid=None, name=""),))
    unnamed = judged(NONE, INFO, "the agent", 25100, holders(hidden)).finding.remedy

    assert "with --pid 9 (or --port 25100), or with --pid 3, core, if" in named
    assert "or with --pid of it if what stands behind it at port 8080" in unnamed


def test_where_nobody_listens_the_host_is_named_if_it_could_be_looked_at():
    def remedy(known):
        found = judged(
            NONE, INFO, "the agent", 25100, Holders(before=(), during=(), is_known=known)
        )
        return found.finding.remedy

    assert "(no visible process listens there on venue-1)" in remedy(True)
    assert "no visible process" not in remedy(False)


def test_less_than_one_connection_is_no_share_of_a_balancer():
    few = Rise(opened=5, gained={Resource.DESCRIPTORS: 0.9}, is_seen=False)
    one = Rise(opened=5, gained={Resource.DESCRIPTORS: 1.0, Resource.THREADS: 0.0}, is_seen=False)

    assert [Status.FAILURE, Status.WARNING] == [
        judged(each, INFO, "the agent", 25100, holders()).finding.status for each in (few, one)
    ]
