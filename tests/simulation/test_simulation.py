"""Histories of runs by the hundred: whatever happens in whatever order, the invariants hold."""

import logging
import sys
from pathlib import Path

import pytest

FOLDER = str(Path(__file__).parent)
SEEDS = 100
"""Of the 10,000 that `make simulation` goes through."""
DOUBLED = 5
"""Of the seeds behind those, whose lines double messages."""
ONCE_BROKEN = (10381, 1557, 1712, 2888, 3712, 3755, 3904, 4954, 5202, 7500, 7681, 8302, 9632)
"""Histories that broke a rule once."""


@pytest.fixture(scope="module")
def simulation():
    """Import the parts of the simulation, which are no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        import planted
        import simulate

        logging.disable(logging.CRITICAL)
        yield planted, simulate
        logging.disable(logging.NOTSET)
        for name in (
            "clients",
            "clockwork",
            "farm",
            "simulated_network",
            "planted",
            "product_parts",
            "rules",
            "simulate",
            "simulated_settings",
            "world",
        ):
            sys.modules.pop(name, None)


def test_whatever_happens_to_a_run_the_invariants_hold(simulation):
    _planted, simulate = simulation
    seeds = (
        *range(SEEDS),
        *ONCE_BROKEN,
        *range(simulate.DOUBLED_FROM, simulate.DOUBLED_FROM + DOUBLED),
    )
    broken = {seed: simulate.simulate(seed)[0] for seed in seeds}

    assert {} == {seed: said for seed, said in broken.items() if said}


def test_one_seed_has_one_history(simulation):
    _planted, simulate = simulation

    assert simulate.history(7) == simulate.history(7) != simulate.history(8)


def test_every_planted_ordering_fault_is_found(simulation):
    planted, simulate = simulation
    missed = []
    for name in planted.PLANTED:
        with planted.planted(name):
            if not simulate.simulate(planted.FOUND_BY[name])[0]:
                missed.append(name)

    assert [] == missed
    assert len(planted.PLANTED) >= 20
    assert set(planted.FOUND_BY) == set(planted.PLANTED)
