from dataclasses import replace

import pytest

from capacity.domain.observation import CutOff, CutOffKind
from capacity.domain.plan import Excuse, NoCeiling
from capacity.domain.resources import Resource
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
