"""The live table, from planted rows: what is not known says what it is instead of a number."""

from types import SimpleNamespace

import pytest

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.words import RESOURCES
from capacity.loadgen.master import run_endings
from capacity.loadgen.web.table import COLUMNS, status_of, table_of, texts_of
from capacity.planning.live import LiveRow


def limit_of(resource, state=LimitState.KNOWN, value=None, reason=None):
    return Limit(
        resource=resource, state=state, value=value, scope="host", source="/planted", reason=reason
    )


def row_of(resource, *, used=None, limit=None, cost=None, ceiling=None, reason=None):
    return LiveRow(
        resource=resource,
        used=used,
        limit=limit,
        cost_per_connection=cost,
        ceiling=ceiling,
        reason=reason,
    )


def test_a_known_resource_shows_its_use_limit_cost_and_ceiling_with_units():
    row = row_of(Resource.MEMORY, used=2**20 * 64, limit=2.0**30, cost=51_200.0, ceiling=19_660.8)
    texts = texts_of(row, limit_of(Resource.MEMORY, value=2.0**30))

    assert {
        "resource": RESOURCES[Resource.MEMORY],
        "used": "64 MiB",
        "limit": "1 GiB",
        "cost": "50 KiB",
        "ceiling": "19,700",
    } == texts


def test_every_column_has_its_cell():
    texts = texts_of(row_of(Resource.CPU), None)

    assert [key for key, _title in COLUMNS] == list(texts)


@pytest.mark.parametrize("resource", Resource)
def test_every_resource_is_named_in_words(resource):
    name = texts_of(row_of(resource), None)["resource"]

    assert "_" not in name
    assert name


def test_before_two_levels_the_cost_is_a_dash_and_the_ceiling_says_what_is_awaited():
    reason = "needs plateaus at 2 connection levels, 1 so far"
    row = row_of(Resource.DESCRIPTORS, used=20.0, limit=1024.0, reason=reason)
    texts = texts_of(row, limit_of(Resource.DESCRIPTORS, value=1024.0))

    assert ("20 descriptors", "1,024 descriptors", "—", reason) == (
        texts["used"],
        texts["limit"],
        texts["cost"],
        texts["ceiling"],
    )


def test_a_resource_that_was_not_read_is_a_dash_and_never_zero():
    assert "—" == texts_of(row_of(Resource.CONNTRACK), None)["used"]
    assert "0 entries" == texts_of(row_of(Resource.CONNTRACK, used=0.0), None)["used"]


def test_a_resource_without_a_limit_says_unlimited_and_has_no_ceiling():
    row = row_of(Resource.NETWORK_OUT, used=0.0, cost=2048.0, reason="limit unlimited")
    texts = texts_of(row, limit_of(Resource.NETWORK_OUT, LimitState.UNLIMITED))

    assert ("unlimited", "2 KiB/s", "none") == (texts["limit"], texts["cost"], texts["ceiling"])


def test_an_application_limit_that_nobody_declared_says_so():
    row = row_of(Resource.APPLICATION_CONNECTIONS, used=5.0, reason="no limit was declared")
    texts = texts_of(row, None)

    assert ("not declared", "no limit was declared") == (texts["limit"], texts["ceiling"])


def test_a_limit_that_an_agent_would_have_read_is_not_said_to_be_undeclared():
    assert "not read" == texts_of(row_of(Resource.MEMORY), None)["limit"]


def test_a_limit_that_could_not_be_read_says_why():
    row = row_of(Resource.MEMORY, used=1.0, reason="limit unknown: permission denied")
    texts = texts_of(row, limit_of(Resource.MEMORY, LimitState.UNKNOWN, reason="permission denied"))

    assert ("not readable", "limit unknown: permission denied") == (
        texts["limit"],
        texts["ceiling"],
    )


def test_before_the_first_run_the_table_is_empty_and_the_status_says_what_to_do():
    session = SimpleNamespace(
        controller=None, shown=None, problem=None, is_beginning=False, chosen="mine, profile safe"
    )

    assert [] == table_of(session)
    assert "No run yet; START loads mine, profile safe" == status_of(session)


def test_a_run_that_could_not_begin_says_why():
    session = SimpleNamespace(controller=None, problem="config/targets has no 'demoo'")

    assert "No run: config/targets has no 'demoo'" == status_of(session)


def test_while_target_and_generator_are_looked_at_the_status_says_so():
    session = SimpleNamespace(controller=None, problem=None, is_beginning=True)

    assert "Looking at target and generator before the run" == status_of(session)


def test_a_run_that_is_over_says_how_it_ended_and_where_its_record_is():
    recorder = SimpleNamespace(path="/r")
    ended = SimpleNamespace(ending=run_endings.stopped(), observations=[], recorder=recorder)
    session = SimpleNamespace(problem=None, is_beginning=False, controller=ended)

    assert "stopped before the end of its profile" in status_of(session)
    assert status_of(session).endswith("Its record is in /r")
