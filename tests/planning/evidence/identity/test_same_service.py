from dataclasses import replace

import pytest

from capacity.domain.sample import AgentInfo
from capacity.planning.evidence.identity.same_service import other_process

GATEWAY = AgentInfo(
    agent_version="1",
    host="venue-1",
    kernel="6",
    cores=2,
    memory_bytes=1,
    boot_id="b",
    target_name="gateway",
    target_pids=(12,),
    target_started_at=0.0,
    limits=(),
    now=0.0,
    listening_ports=(443,),
)
SHELL = replace(GATEWAY, target_name="sh", target_pids=(99,), listening_ports=())
UNSEEN = replace(GATEWAY, listening_ports=None)


def test_a_process_that_does_not_listen_where_the_target_did_is_another_one():
    assert other_process(GATEWAY, SHELL, 443) == (
        "another process is watched now: sh (pid 99) on venue-1, and does not listen on port 443;"
        " it was gateway (pid 12) on venue-1"
    )
    assert other_process(GATEWAY, replace(GATEWAY, listening_ports=(9100,)), 443) is not None


@pytest.mark.parametrize(
    "after",
    [
        replace(GATEWAY, target_pids=(77,), target_started_at=9.0),
        replace(GATEWAY, target_name="gateway-2"),
        replace(GATEWAY, listening_ports=(443, 9100)),
        UNSEEN,
    ],
)
def test_a_service_that_was_started_anew_is_the_same_one(after):
    assert other_process(GATEWAY, after, 443) is None


def test_where_ports_do_not_tell_the_name_does():
    behind = replace(GATEWAY, listening_ports=(8080,))

    assert other_process(UNSEEN, replace(UNSEEN, target_name="sh"), 443) is not None
    assert other_process(behind, replace(behind, target_name="sh"), 443) is not None
    assert other_process(behind, replace(behind, listening_ports=(8081,)), 443) is None
