"""Newcomers of a real small target, which refuses by a planted rule."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from capacity.domain.observation import CutOff, CutOffKind
from capacity.loadgen.master.guards import newcomers
from capacity.loadgen.master.guards.newcomers import (
    FIRST_TRIES,
    MORE_TRIES,
    MOST_TOLD,
    Newcomers,
    RefusedClients,
    try_login,
    try_newcomers,
    was_refused,
)
from capacity.loadgen.master.steps.step_summary import observe
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.workload.profiles.profile import Phase

TESTS = Path(__file__).parents[3]
SmallTarget = runpy.run_path(str(TESTS / "loadgen" / "small_target.py"))["SmallTarget"]
STEP = runpy.run_path(str(TESTS / "bare_records.py"))["step_of"]()
DIALECT = load_dialect(find("dialects", "deribit"))
BANNED = 403


@pytest.fixture
def small():
    target = SmallTarget()
    target.host = "127.0.0.1"
    yield target
    target.close()


@pytest.fixture
def tried(small, target_file):
    """Return what newcomers met; before each of them the target answers with the next status."""

    def try_all(*statuses):
        due = iter(statuses)

        def turn(_pause_s):
            small.status = next(due, small.status)

        return try_newcomers(target_file(small), DIALECT, turn)

    return try_all


def test_a_target_with_room_again_lets_all_in(tried, small):
    assert Newcomers(tried=MORE_TRIES, refused=0, reason=None) == tried(101)
    assert 1 + MORE_TRIES == len(small.arrived_s)


def test_who_notices_late_that_others_have_left_is_waited_for(tried):
    late = [503] * (FIRST_TRIES - 1)

    assert Newcomers(tried=MORE_TRIES, refused=0, reason=None) == tried(*late, 101)


def test_a_ban_refuses_all(tried, small):
    all_refused = Newcomers(
        tried=FIRST_TRIES, refused=FIRST_TRIES, reason=f"handshake_rejected_{BANNED}"
    )

    assert all_refused == tried(BANNED)
    assert FIRST_TRIES == len(small.arrived_s)


def test_a_target_that_sheds_refuses_some(tried):
    seen = tried(101, 503, 101, 101, 503, 101)

    assert (2, MORE_TRIES, "handshake_rejected_503") == (seen.refused, seen.tried, seen.reason)


def test_of_a_target_that_is_gone_it_is_said_that_nothing_could_be_told(tried, small):
    small.close()

    assert Newcomers(tried=0, refused=0, reason="connect_refused") == tried(101)


@pytest.mark.parametrize(
    ("kind", "reason", "refused"),
    [
        (CutOffKind.REFUSED, "handshake_rejected_503", True),
        (CutOffKind.NOT_REACHED, "connect_reset", True),
        (CutOffKind.REFUSED, "handshake_opening_refused", True),
        (CutOffKind.REFUSED, "handshake_value_rejected_503", True),
        (CutOffKind.NOT_REACHED, "connect_timeout", False),
        (CutOffKind.LOST, "handshake_rejected_503", False),
    ],
)
def test_only_who_turned_newcomers_away_is_asked(ended, kind, reason, refused):
    cut = CutOff(kind=kind, statement="so it ended", connections=5)

    assert refused == was_refused(replace(ended, cut_off=cut, failures={reason: 9, "lost": 1}))
    assert not was_refused(ended)


@pytest.fixture
def ended():
    """A step that was not reached."""
    return observe(
        index=1,
        step=STEP,
        times={Phase.RAMP: 100.0},
        ended_at=106.0,
        merged_counts={},
        connections_peak=5,
        users=5,
        workers=1,
        disturbances=(),
    )


@pytest.fixture
def retried(okx_target, ended):
    """Return what became of the logins of a client that was refused in the step before."""

    def tried_again(
        client, *, kind=CutOffKind.REFUSED, refused="handshake_opening_refused", **changes
    ):
        target = okx_target(**changes)
        public, private = (load_dialect(find("dialects", name)) for name in ("okx", "okx-private"))
        clients = RefusedClients(target, public, private)
        for index, publicly, privately in ((1, [], [client, 4]), (1, [], [0]), (2, [3], [])):
            private = {"refused_logins": privately}
            report = {"index": index, "refused_logins": publicly, "private": private}
            clients.note(report, lambda *_kind, **_detail: None)
        cut = CutOff(kind=kind, statement="so it ended", connections=5)
        asked = replace(ended.step, connections=10)
        step = replace(ended, step=asked, cut_off=cut, failures={refused: 9})
        return clients.tried(step, 10.0, lambda _pause_s: None)

    return tried_again


def test_whose_login_is_refused_is_told_at_once_with_the_row_and_once_a_client(okx_target):
    target = okx_target()
    public, private = (load_dialect(find("dialects", name)) for name in ("okx", "okx-private"))
    clients, told = RefusedClients(target, public, private), []

    def tell(kind, client, row):
        told.append((kind, client, row))

    for refused in ([2], [2, 0], [0]):
        report = {"index": 1, "refused_logins": [], "private": {"refused_logins": refused}}
        clients.note(report, tell)
    clients.note({"index": 1, "refused_logins": [2], "private": None}, tell)
    rows = target.private.values["api_key"].rows

    assert [
        ("refused_login", 2, f"row 3 of {rows}"),
        ("refused_login", 0, f"row 1 of {rows}"),
        ("refused_login", 2, None),
    ] == told, "the last one logs in publicly, with values that are no row"


def test_of_a_run_that_refuses_everybody_a_few_are_told(okx_target):
    clients, told = RefusedClients(okx_target(), None, None), []
    for n in range(MOST_TOLD + 1):
        report = {"index": 1, "refused_logins": [2 * n, 2 * n + 1], "private": None}
        clients.note(report, lambda _kind, client, row: told.append((client, row)))

    assert [(n, None) for n in range(MOST_TOLD)] == told


def test_a_client_that_is_let_in_when_the_others_are_gone_met_a_cap(retried):
    assert Newcomers(tried=MORE_TRIES, refused=0, reason=None, client=2) == retried(2)


def test_a_client_with_wrong_credentials_is_refused_whoever_is_connected(retried):
    seen = retried(2, passphrase="close sesame")

    assert (FIRST_TRIES, FIRST_TRIES, "handshake_opening_refused", 2) == (
        seen.tried,
        seen.refused,
        seen.reason,
        seen.client,
    )


def test_of_a_login_that_cannot_be_tried_it_is_said_why(retried):
    unreachable, rowless = retried(2, port=9), retried(5)

    assert [(0, 0, 2), (0, 0, 5)] == [
        (seen.tried, seen.refused, seen.client) for seen in (unreachable, rowless)
    ]
    assert "connect_refused" in unreachable.reason
    assert rowless.reason


def test_refusals_of_the_handshake_are_tried_without_a_login(retried):
    seen = retried(2, refused="handshake_rejected_503", passphrase="close sesame")

    assert (MORE_TRIES, 0, None) == (seen.tried, seen.refused, seen.client)


@pytest.mark.parametrize(
    ("passphrase", "refused"), [("open sesame", 0), ("ended in the midst", FIRST_TRIES)]
)
def test_who_lost_its_connection_logs_in_again_as_its_credentials_may_have_ended(
    retried, passphrase, refused
):
    seen = retried(2, kind=CutOffKind.LOST, refused="connection_closed", passphrase=passphrase)

    assert (2, refused) == (seen.client, seen.refused)


def test_where_nobody_was_refused_after_losses_the_first_client_logs_in_if_any_has_to(
    okx_target, ended
):
    public, private = (load_dialect(find("dialects", name)) for name in ("okx", "okx-private"))
    cut = CutOff(kind=CutOffKind.LOST, statement="so it ended", connections=5)
    lost = replace(ended, cut_off=cut, failures={"connection_closed": 9})
    target = okx_target(passphrase="ended in the midst")
    seen = RefusedClients(target, public, private).tried(lost, 10.0, lambda _pause_s: None)

    assert (0, FIRST_TRIES) == (seen.client, seen.refused)
    assert RefusedClients(target, public, None).tried(lost, 10.0, lambda _pause_s: None) is None


def test_a_venue_that_counts_logins_refuses_some_of_those_that_follow_one_another(
    okx_target, okx_venue, monkeypatch
):
    """The venue has no such rule: every third answer to a login is taken for a refusal."""
    tries = iter(range(99))
    monkeypatch.setattr(newcomers, "is_login_refused", lambda *_given: next(tries) % 3 == 1)
    pauses_s = []
    target = okx_target()
    private = load_dialect(find("dialects", "okx-private"))
    seen = try_login(target.privately(), private, 4, pauses_s.append, clients=5, every_s=0.2)

    assert Newcomers(tried=10, refused=4, reason="handshake_opening_refused", client=4) == seen
    assert [1.0, *[0.2] * 10] == pauses_s
