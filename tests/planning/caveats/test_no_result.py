from dataclasses import replace

import pytest

from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.plan import CapacityPlan, Excuse, NoCeiling
from capacity.domain.resources import Resource
from capacity.domain.run import RunEvent
from capacity.planning.caveats.no_result import why_no_wall
from capacity.planning.plan import plan


def without_agent(record):
    return replace(record, manifest=replace(record.manifest, agent=None))


def all_void(record):
    return replace(record, steps=tuple(replace(s, void="80 ms late") for s in record.steps))


def no_plateaus(record):
    return replace(
        record,
        steps=tuple(
            replace(s, plateau_started_at=None, plateau_ended_at=None, load=None)
            for s in record.steps
        ),
    )


def gone(record):
    return replace(
        record, samples=tuple(replace(s, target_started_at=None) for s in record.samples)
    )


def agent_lost(record, *more):
    kinds = ("agent_lost", *more)
    events = tuple(RunEvent(at=1.0, kind=kind, detail={"reason": "gone"}) for kind in kinds)
    return replace(gone(record), events=(*record.events, *events))


def unlimited(record):
    agent = replace(record.manifest.agent, limits=())
    return replace(record, manifest=replace(record.manifest, agent=agent))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (without_agent, "no agent"),
        (lambda r: replace(r, samples=()), "no sample was recorded"),
        (lambda r: replace(r, steps=()), "before its first step was complete"),
        (all_void, "All 9 steps are void because of the load generator"),
        (no_plateaus, "None of 9 steps reached a usable plateau"),
        (gone, "No sample of a running target lies on the plateaus"),
        (agent_lost, "The agent did not answer from some moment of the run on"),
        (lambda r: agent_lost(r, "agent_back"), "No sample of a running target lies"),
        (lambda r: replace(r, steps=r.steps[:1]), "(0 connections)"),
        (lambda r: replace(r, steps=r.steps[7:]), "({highest} connections)"),
        (unlimited, "None of 18 resources"),
    ],
)
def test_each_way_of_having_no_plan_is_named_with_its_remedy(venue, spoil, words):
    answer = plan(spoil(venue.record()))
    highest = max(step.connections for step in venue.steps)

    assert isinstance(answer, Excuse)
    assert words.format(highest=highest) in answer.reason
    assert answer.remedy.endswith(".")
    assert answer.generator is not None


@pytest.mark.parametrize(
    ("failures", "is_login"),
    [
        ({"handshake_opening_refused": 6}, True),
        ({"handshake_opening_refused": 6, "connect_refused": 5}, True),
        ({"handshake_opening_refused": 5, "connect_refused": 6}, False),
    ],
)
def test_a_first_level_whose_logins_are_refused_has_the_targets_words_and_the_values_as_remedy(
    venue, failures, is_login
):
    kind = CutOffKind.NOT_REACHED
    cut = CutOff(kind=kind, statement="the target held 7 connections", connections=7)
    record = no_plateaus(venue.record())
    idle, first = record.steps[0], next(each for each in record.steps if each.step.connections)
    said = RunEvent(at=1.0, kind="target_said", detail={"text": "opening refused: Params Error"})
    detail = {"client": 7, "row": "row 8 of accounts.csv"}
    login = RunEvent(at=1.0, kind="refused_login", detail=detail)
    steps = (idle, replace(first, cut_off=cut, failures=failures))
    answer = plan(replace(record, steps=steps, events=(said, login)))

    assert isinstance(answer, Excuse)
    assert is_login == ("refused the login of clients, 6 times, and held 7" in answer.reason)
    assert is_login == (
        'It said: "opening refused: Params Error". The first was row 8 of accounts.csv.'
        in answer.reason
    )
    assert is_login == ("Correct the values" in answer.remedy)


def test_a_restart_between_all_levels_is_named(venue, ramp):
    steps = ramp(100, 200, 300)

    answer = plan(replace(venue, steps=steps, restarts_at=(1, 2, 3)).record())

    assert isinstance(answer, Excuse)
    assert "restarted 3 times" in answer.reason


def test_every_resource_says_why_it_is_no_wall():
    entries = [
        NoCeiling(resource=Resource.CPU, reason="no cost", limit=None),
        NoCeiling(resource=Resource.MEMORY, reason="no limit", limit=None),
    ]

    assert (
        "CPU of the target: no cost; memory of the target: no limit" in why_no_wall(entries).reason
    )


def test_a_run_whose_second_level_failed_says_how(venue):
    record = venue.record()
    cut = CutOff(kind=CutOffKind.UNSERVED, statement="9 of 20 were silent", connections=20)
    *_others, full = (step for step in record.steps if step.step.is_mix)
    lone = replace(full, step=replace(full.step, connections=245))
    steps = (lone, *(replace(step, cut_off=cut) for step in record.steps if step is not full))
    answer = plan(replace(record, steps=steps))

    assert "at the next count, 9 of 20 were silent." in answer.reason
    assert "time-outs" in answer.remedy


def test_one_void_step_and_several_without_a_plateau_are_told_by_their_numbers(venue):
    record = venue.record()
    lone = replace(record, steps=(replace(record.steps[0], void="80 ms late"),))
    unreached = no_plateaus(record)
    mixed = replace(
        unreached, steps=(replace(unreached.steps[0], void="late"), *unreached.steps[1:])
    )

    assert "The only step is void" in plan(lone).reason
    assert "step 1: 80 ms late." in plan(lone).reason
    assert "None of 9 steps reached a usable plateau (1 void)" in plan(mixed).reason


def test_two_levels_are_enough_and_without_the_full_mix_they_are_no_plan(venue, ramp):
    record = replace(venue, steps=ramp(100, 200)).record()
    idle = tuple(replace(each, step=replace(each.step, is_mix=False)) for each in record.steps)

    assert isinstance(plan(replace(record, steps=record.steps[:2])), CapacityPlan)
    excuse = plan(replace(record, steps=idle))
    assert "None of 3 steps carried the profile's full workload" in excuse.reason
    assert "add one without, or set mix to what one of them has" in excuse.remedy
    void = replace(record.steps[-1], void="late")
    failed = plan(replace(record, steps=(*idle[:2], void)))
    assert "Look at the failures per step" in failed.remedy


@pytest.mark.parametrize("most", [1, 2])
def test_a_single_connection_at_the_second_level_is_enough_for_a_cost(venue, ramp, most):
    record = replace(venue, steps=ramp(most)).record()

    assert {0, most} == {each.step.connections for each in record.steps}
    assert "carried a connection" not in getattr(plan(record), "reason", "")


def test_a_run_that_was_ended_before_its_full_workload_is_to_go_on_and_its_profile_is_right(
    venue, ramp
):
    record = replace(venue, steps=ramp(100, 200)).record()
    idle = tuple(replace(each, step=replace(each.step, is_mix=False)) for each in record.steps)
    stopped = RunEvent(at=1.0, kind="aborted", detail={"reason": "stopped", "exit_code": 130})
    excuse = plan(replace(record, steps=idle, events=(*record.events, stopped)))

    told = "The run was ended before a step asked for it: measure again, and let it go on."
    assert told == excuse.remedy


@pytest.mark.parametrize(
    ("kind", "is_mix", "said"),
    [
        (CutOffKind.STOPPED, True, "The run ended before the first level was reached: so it was."),
        (
            CutOffKind.DIED,
            True,
            "level of 61 connections (with full workload) was not held: so it was.",
        ),
        (CutOffKind.DIED, False, "level of 61 connections (idle) was not held: so it was."),
    ],
)
def test_what_ended_the_first_level_is_told(venue, kind, is_mix, said):
    baseline, first, *_ = venue.record().steps
    cut = CutOff(kind=kind, statement="so it was", connections=20)
    first = replace(first, step=replace(first.step, is_mix=is_mix), cut_off=cut)

    assert said in plan(replace(venue.record(), steps=(baseline, first))).reason


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (CutOffKind.GUARDED, "was not held: 94 of 100 MiB in use at 14 connections."),
        (CutOffKind.LOST, "was not held: 94 of 100 MiB in use."),
    ],
)
def test_a_first_level_that_a_guard_ended_is_told_with_how_many_were_open(venue, kind, said):
    record = venue.record()
    empty, first = record.steps[:2]
    cut = CutOff(kind=kind, statement="94 of 100 MiB in use", connections=14)
    ended = replace(first, plateau_started_at=None, plateau_ended_at=None, load=None, cut_off=cut)
    answer = plan(replace(record, steps=(empty, ended)))

    assert isinstance(answer, Excuse)
    assert said in answer.reason


@pytest.mark.parametrize(
    ("unheard", "rejected", "said"),
    [(6, 5, "Nobody listens there"), (5, 5, "credentials, a per-client limit")],
)
def test_where_nobody_listens_no_other_load_is_advised(venue, unheard, rejected, said):
    record = venue.record()
    empty, first = record.steps[:2]
    cut = CutOff(kind=CutOffKind.REFUSED, statement="11 attempts failed", connections=0)
    failures = {"connect_refused": unheard, "handshake_rejected_503": rejected}
    ended = replace(first, load=None, plateau_started_at=None, plateau_ended_at=None, cut_off=cut)

    assert said in plan(replace(record, steps=(empty, replace(ended, failures=failures)))).remedy


def test_who_measured_without_an_agent_is_told_how_its_samples_are_joined(venue):
    answer = plan(without_agent(venue.record()))

    assert "capacity attach RUN DIR" in answer.remedy
    assert "--spool DIR" in answer.remedy
