import errno
from types import SimpleNamespace

import pytest

from capacity.domain.observation import CutOff, CutOffKind
from capacity.loadgen.master import run_endings
from capacity.planning.safety.trip import Trip


def last_step(held, kind=CutOffKind.NOT_REACHED):
    step = SimpleNamespace(connections=100, ramp_timeout_s=30.0)
    cut_off = CutOff(kind=kind, statement=f"the target held {held}", connections=held)
    return SimpleNamespace(index=3, step=step, connections_peak=held, cut_off=cut_off)


def test_a_ramp_that_stands_still_is_a_finding_where_something_was_open():
    kind, detail = run_endings.not_reached(last_step(held=60))

    assert ("finished", 3) == (kind, detail["not_reached"])
    assert "step 4 asked for 100 connections; the target held 60" in detail["reason"]


def test_a_ramp_with_nothing_open_means_that_the_target_is_gone():
    kind, detail = run_endings.not_reached(last_step(held=0))

    assert ("aborted", 4) == (kind, detail["exit_code"])


TRIP = Trip(guard="limit", number=95.0, bound=90.0, statement="descriptors: 95 of 100 in use")


@pytest.mark.parametrize(
    ("ending", "exit_code", "said"),
    [
        (run_endings.target_lost(2, "the target dropped 8 of 9"), 4, "dropped 8 of 9 in step 3"),
        (
            run_endings.guarded(2, TRIP),
            12,
            "the limit guard removed the load at step 3: descriptors",
        ),
        (
            run_endings.without_workers("it ended by SIGKILL"),
            5,
            "was lost: it ended by SIGKILL; the",
        ),
    ],
)
def test_each_way_to_end_early_has_its_reason_and_exit_code(ending, exit_code, said):
    kind, detail = ending

    assert ("aborted", exit_code) == (kind, detail["exit_code"])
    assert said in detail["reason"]


def test_a_full_disk_is_no_internal_error():
    full = OSError(errno.ENOSPC, "No space left on device")

    assert (
        "cannot be written any further (No space left on device)"
        in run_endings.crashed(full)[1]["reason"]
    )
    kind, detail = run_endings.crashed(KeyError("index"))
    assert ("aborted", 5) == (kind, detail["exit_code"])
    assert "an internal error ended it: KeyError" in detail["reason"]


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        (("finished", {}), "The run is finished: every step was held."),
        (
            ("finished", {"climbed": "the profile's 2 levels are done"}),
            "The run is finished: the profile's 2 levels are done.",
        ),
        (
            run_endings.stopped(),
            "The run ended early: the run was stopped before the end of its profile (exit code 130).",
        ),
        (
            run_endings.stopped_after(3),
            "The run ended early: the run was stopped when step 4 was over, as asked for; its steps are kept; capacity plan tells what follows from them (exit code 130).",
        ),
        (
            run_endings.without_workers("killed"),
            "The run ended early: the last worker was lost: killed; the steps before it are kept; capacity plan tells what follows from them (exit code 5).",
        ),
    ],
)
def test_every_ending_is_told_in_a_sentence(ending, told):
    assert told == run_endings.in_words(ending)


def test_an_end_without_a_usable_step_is_told_as_one():
    idle = SimpleNamespace(connections_peak=0, void=None)
    held = SimpleNamespace(connections_peak=5, void=None)
    void = SimpleNamespace(connections_peak=10, void="a worker stood still")

    for useless in ([idle, void], [void, idle]):
        assert run_endings.in_words(("finished", {}), useless) == (
            "The run is finished, and there is nothing to plan from: every step with connections is void;"
            " the last one: a worker stood still."
        )
        assert run_endings.is_all_void(useless)
    assert run_endings.in_words(("finished", {}), [idle, held, void]) == (
        "The run is finished: every step was held; 1 of 3 steps void."
    )
    assert not run_endings.is_all_void([idle, held, void])
    assert not run_endings.is_all_void([idle])


def test_a_guards_ending_is_told_with_what_was_seen():
    told = run_endings.in_words(run_endings.guarded(2, TRIP))

    assert "the limit guard removed the load at step 3: descriptors: 95 of 100 in use" in told
    assert told.endswith("(exit code 12).")


def test_a_ramp_that_the_generator_did_not_finish_is_no_finding_about_the_target():
    kind, detail = run_endings.not_reached(last_step(held=60, kind=CutOffKind.STOPPED))

    assert ("aborted", 5, 3) == (kind, detail["exit_code"], detail["not_reached"])
