"""The kinds of faults, who answers for each, and what is drawn for a trial from its seed.

A trial has one or two faults, of different kinds, on the side of the generator, of the target and of the
agent: so it can be told which of them an end or a caveat is about. The link is on nobody's side.
"""

import random
from dataclasses import asdict, dataclass, fields

from inside.hostile import ANSWERS, FRAMES, SAMPLES

GENERATOR, TARGET, AGENT, LINK, FILES = "generator", "target", "agent", "link", "files"
LAST_FAULT_AT_S = {"start": 8.0, "run": 13.0}
"""After the command was started, or after its record was begun: a run takes some 15 s."""
LONGEST_STOP_S = 10.0
COPIES = 30
"""Damaged copies that one trial reads."""
HOUR_S = 3600.0
BRIEF = {"kind", "owner", "choice"}
CUT_SHORT = {"run_incomplete", "void_steps", "few_steps"}
UNSEEN = {"samples_missing", "few_steps"}


@dataclass(frozen=True)
class Kind:
    """A row: *told_by* are the caveats of which a plan has one, should the fault have moved it."""

    name: str
    owner: str
    choices: tuple = ("",)
    told_by: frozenset = frozenset()


def _kind(name, owner, choices=("",), told_by=()):
    return Kind(name, owner, tuple(choices), frozenset(told_by))


KINDS = (
    _kind("kill", GENERATOR, ("cli", "master", "worker"), CUT_SHORT),
    _kind("stop", GENERATOR, ("cli", "master", "worker"), CUT_SHORT | {"generator_near_limit"}),
    _kind("interrupt", GENERATOR, ("cli", "master"), CUT_SHORT),
    _kind("terminate", GENERATOR, ("cli", "master", "worker"), CUT_SHORT),
    _kind("disk full", GENERATOR, (0, 32, 80), CUT_SHORT | UNSEEN),
    _kind("read-only folder", GENERATOR, ("from the start", "under way"), CUT_SHORT | UNSEEN),
    _kind(
        "clock of the generator",
        GENERATOR,
        (-HOUR_S, HOUR_S),
        {"clock_offset", "void_steps"} | UNSEEN,
    ),
    _kind("kill", TARGET, ("target",), CUT_SHORT | {"lost_connections", "limit_met"}),
    _kind("stop", TARGET, ("target",), CUT_SHORT | UNSEEN | {"limit_met"}),
    _kind(
        "restart",
        TARGET,
        ("target",),
        # Seen from outside, a target that is killed and one that a limit ends are the same.
        CUT_SHORT | {"target_restarted", "lost_connections", "limit_met"},
    ),
    _kind("clock of the target", TARGET, (-HOUR_S, HOUR_S), {"clock_offset"}),
    _kind("hostile frames", TARGET, FRAMES, CUT_SHORT | {"lost_connections", "limit_met"}),
    _kind("hostile answers", TARGET, ANSWERS, CUT_SHORT | {"limit_met", "costs_not_separated"}),
    _kind("descriptor limit", TARGET, (180, 300), {"limit_changed", "limit_met"}),
    _kind("cgroup limit", TARGET, ("pids.max", "memory.limit_in_bytes"), {"limit_changed"}),
    _kind("kill", AGENT, ("agent",), UNSEEN),
    _kind("stop", AGENT, ("agent",), UNSEEN),
    _kind("restart", AGENT, ("agent",), UNSEEN),
    _kind("clock of the agent", AGENT, (-HOUR_S, HOUR_S), UNSEEN | {"clock_offset"}),
    _kind("hostile samples", AGENT, SAMPLES, UNSEEN),
    _kind("cut link", LINK, ("",), CUT_SHORT | UNSEEN | {"lost_connections", "limit_met"}),
    _kind("slow link", LINK, ("64kbit", "256kbit", "1mbit"), CUT_SHORT | UNSEEN | {"limit_met"}),
)
DAMAGE = (
    "truncated",
    "a byte flipped",
    "bytes flipped",
    "zeros",
    "junk put in",
    "lines lost",
    "lines doubled",
    "lines shuffled",
    "a number replaced",
    "absent",
    "empty",
    "a folder",
)


@dataclass(frozen=True)
class Fault:
    """One fault: done *at_s* after what it is counted *since*, and undone *lasts_s* later."""

    kind: str
    owner: str
    choice: object
    since: str = "start"
    at_s: float = 0.0
    lasts_s: float = 0.0

    def as_dict(self):
        """Return what is recorded of it: of a damaged file there is no moment."""
        return {key: value for key, value in asdict(self).items() if self.at_s or key in BRIEF}

    @classmethod
    def of(cls, recorded):
        """Return the fault that was recorded so."""
        names = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in recorded.items() if key in names})


def told_by(fault):
    return next(k.told_by for k in KINDS if (k.name, k.owner) == (fault.kind, fault.owner))


def faults_of(seed, number):
    """Return the faults of a trial: none now and then, so that the judge is judged as well."""
    chance = random.Random(f"{seed}-{number}")
    if number % 7 == 3:
        return [Fault("damaged file", FILES, chance.choice(DAMAGE)) for _ in range(COPIES)]
    if number % 40 == 1:
        return []
    owners = chance.choice(
        (
            (GENERATOR, TARGET, AGENT),
            (TARGET, AGENT),
            (GENERATOR, AGENT),
            (GENERATOR, TARGET),
            (GENERATOR, LINK),
            (LINK,),
        )
    )
    return [
        _drawn(chance, kind)
        for owner in owners
        for kind in chance.sample([k for k in KINDS if k.owner == owner], chance.choice((1, 1, 2)))
    ]


def _drawn(chance, kind):
    since = chance.choice(("start", *["run"] * 9))
    return Fault(
        kind.name,
        kind.owner,
        chance.choice(kind.choices),
        since,
        round(chance.uniform(0.5, LAST_FAULT_AT_S[since]), 2),
        round(chance.uniform(0.3, LONGEST_STOP_S), 2),
    )
