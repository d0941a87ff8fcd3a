"""What private connections counted, from reports of two workers."""

from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.loadgen.master.workers.private_counts import figures_of

APART = {"connects": 2, "lost": 1, "deliveries": 3, "pinged": 4, "half_open": 0}


def merged(report, *open_private):
    """Return the counts of workers a and b that both reported, once for each number of open ones."""
    both = MergedCounts()
    for held in open_private:
        for worker in "ab":
            apart = {**APART, "failures": {"handshake_opening_refused": 6}}
            both.add(worker, report(private=apart))
        both.note_open({"a", "b"}, held)
    return both


def test_a_step_says_what_its_private_connections_were(report):
    ramp, plateau = merged(report, 1), merged(report, 10, 20)
    figures = figures_of([ramp.private, plateau.private], plateau.private)

    assert (15.0, 12, 6) == (figures.connections, figures.connects, figures.lost)
    assert {"handshake_opening_refused": 36} == figures.failures
    assert (12, 16, 0) == (figures.updates, figures.pinged, figures.half_open)


def test_a_step_that_never_came_to_its_plateau_says_nothing_of_it(report):
    figures = figures_of([merged(report, 1).private], None)

    assert (None, None, None, None) == (
        figures.connections,
        figures.updates,
        figures.pinged,
        figures.half_open,
    )
    assert 4 == figures.connects


def test_a_loss_that_was_an_age_after_all_makes_none_negative(report):
    taken_back = MergedCounts()
    taken_back.add("a", report(private={**APART, "lost": -2, "failures": {}}))

    assert 0 == figures_of([taken_back.private], None).lost


def test_where_all_connections_are_public_nothing_is_said_of_private_ones(report):
    public = MergedCounts()
    public.add("a", report())

    assert {} == public.private_failures
    assert None is figures_of([public.private, None], None)


def test_open_connections_are_counted_once_every_worker_has_told(report):
    half = MergedCounts()
    half.add("a", report(private={**APART, "failures": {}}))
    half.note_open({"a", "b"}, 5)

    assert ([], []) == (half.open_connections, half.private.open_connections)
