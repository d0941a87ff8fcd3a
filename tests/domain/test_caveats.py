"""Every kind of caveat has its row, and every bound says where it is from."""

import pytest

from capacity.domain import caveats
from capacity.domain.caveats import ASSUMED, CAVEAT_FACTS, Bound, DoubtKind

BOUNDS = {name: value for name, value in vars(caveats).items() if isinstance(value, Bound)}


def test_every_kind_has_a_row():
    assert set(CAVEAT_FACTS) == set(DoubtKind)


def test_no_two_kinds_share_a_label():
    assert len({facts.label for facts in CAVEAT_FACTS.values()}) == len(CAVEAT_FACTS)


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_a_bound_says_where_it_is_from_and_belongs_to_a_kind(name):
    users = [kind for kind, facts in CAVEAT_FACTS.items() if BOUNDS[name] in facts.bounds]

    assert BOUNDS[name].source
    assert users


def test_a_bound_compares_and_counts_as_its_number():
    bound = Bound(0.25, "chosen")

    assert 0.24 < bound < 0.26
    assert bound * 4 == 1.0
    assert bound.source == "chosen"


def test_what_nearly_every_plan_takes_for_granted_is_marked_as_that():
    assert ASSUMED == {DoubtKind.SHARED_HOST, DoubtKind.OWN_CAP}
