"""What is said of an agent, from what it saw and from who listens on the port."""

import runpy
from pathlib import Path

import pytest

from capacity.domain.answers.finding import Status
from capacity.domain.resources import Resource
from capacity.domain.sample import Destination, PortHolder
from capacity.loadgen.checks.watch_verdict import Holders, judged
from capacity.planning.evidence.target_identity import Rise

AGENT = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))
INFO = AGENT["agent_info"](
    host="venue-1", target_name="other", target_pids=(7,), listening_ports=(25080,)
)
STRANGER = PortHolder(pid=9, name="service", is_watched=False)
NONE = Rise(opened=5, gained={Resource.DESCRIPTORS: 0.0}, is_seen=False)
SOME = Rise(opened=5, gained={Resource.DESCRIPTORS: 2.0}, is_seen=False)
ALL = Rise(opened=5, gained={Resource.DESCRIPTORS: 5.0}, is_seen=True)
UNTOLD = Rise(opened=5, gained={}, is_seen=None, unknown="no count is read")


def holders(*during, before=()):
    return Holders(before=tuple(before), during=during)


def leading(watched, to_watched, connections=5):
    there = Destination(
        address="10.0.0.2", port=8080, connections=connections, is_watched=to_watched
    )
    return PortHolder(pid=9, name="relay", is_watched=watched, destinations=(there,))


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
