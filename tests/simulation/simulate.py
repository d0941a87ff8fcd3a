"""A deterministic simulation of a run's control: `make simulation`; one seed, one history.

Controller, check-in, recorder, worker pool and workers are the product's own. Lines, Locust, clocks,
clients, target and agent are simulated, and what happens to them is drawn from the seed. Whatever
happens, the invariants of the architecture page hold (`rules.py`).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import argparse
import json
import random
import time

from clockwork import StuckError
from product_parts import staged
from rules import broken_by
from simulated_network import Weather
from world import LONGEST_RUN_S

CALM = Weather(slowest_s=0.05)
SLOW = Weather(slowest_s=4.0)
HOSTILE = Weather(slowest_s=1.0, lost_ratio=0.02, doubled_ratio=0.02, overtaken_ratio=0.02)
DOUBLING = Weather(slowest_s=0.05, doubled_ratio=0.05)
"""Harmless: whatever comes twice is taken once."""
LAST_FAULT_AT_S = 14.0
DOUBLED_FROM = 10_000
"""Seeds from here on have lines that double messages, and do nothing else to them."""


class Story:
    """What is drawn for one seed, and what came of it."""

    def __init__(self, seed):
        self.seed = seed
        self.chance = random.Random(f"story-{seed}")
        self.weather = self.chance.choice((CALM, CALM, SLOW, SLOW, HOSTILE))
        if seed >= DOUBLED_FROM:
            self.weather = DOUBLING
        self.faults = []
        self.is_calm = self.weather in {CALM, DOUBLING}
        self.is_generator_hurt = not self.is_calm
        self.is_stopped = False
        self.is_unwanted = False
        """Stop was pressed before the first run had begun."""
        self.is_begun_unwanted = False
        self.circumstances = {
            "weather": self.weather,
            "workers": self.chance.choice((1, 2, 2, 3)),
            "most": self.chance.choice((None,) * 9 + (6,)),
            "has_agent": self.chance.random() < 0.7,
        }

    def play(self, world):
        """Make a run, then a second one on calm lines."""
        chance = self.chance
        world.disk_fails_from = chance.randrange(60) if chance.random() < 0.05 else None
        for _ in range(chance.choice((0, 1, 1, 2, 3))):
            name = chance.choice(sorted(DEEDS))
            at_s = chance.uniform(0.0, LAST_FAULT_AT_S)
            self.faults.append((round(at_s, 2), name))
            world.clock.at(at_s, None, DEEDS[name], self, world)
        self._run(world)
        self.is_begun_unwanted = self.is_unwanted and any(
            record.of("step") for record in world.records
        )
        world.clock.let_pass(LAST_FAULT_AT_S + 1.0)
        self._settle(world)
        world.disk_fails_from = None
        world.calm_down()
        if not world.alive:
            world.add_worker()
        if world.target.is_dead:
            return
        self._run(world)

    def _run(self, world):
        clock, runner = world.clock, world.runner
        begun_s = clock.now_s
        everybody = [station.name for station in world.alive]
        clock.run(
            lambda: (
                {node.id for node in runner.clients.ready} >= set(everybody)
                or clock.now_s > begun_s + 20.0
            ),
            begun_s + 21.0,
        )
        runner.start_shape()
        world.session.is_beginning = True
        clock.run(lambda: is_over(world), clock.now_s + LONGEST_RUN_S)
        self._settle(world)

    def _settle(self, world):
        """Let all that was held up come to its end."""
        processes = (world.master, *(station.process for station in world.alive))
        awake_s = max(process.awake_at_s for process in processes)
        world.clock.let_pass(5.0 + max(awake_s, world.clock.now_s))


def is_over(world):
    return world.runner.shape_greenlet is None and world.runner.state != "stopping"


def _kill_worker(story, world):
    story.is_generator_hurt = True
    if world.alive:
        world.kill(story.chance.choice(world.alive).name)


def _stop_worker(story, world):
    story.is_generator_hurt = True
    if world.alive:
        world.stop(story.chance.choice(world.alive).process, story.chance.uniform(0.1, 15.0))


def _join(story, world):
    story.is_generator_hurt = True
    world.add_worker()


def _stop_master(story, world):
    world.stop(world.master, story.chance.uniform(0.1, 5.0))


def _drop(story, world):
    world.target.drop_all()


def _die(story, world):
    world.target.die()


def _cut_agent(story, world):
    if world.agent is not None:
        world.agent.is_cut = True
        lasts_s = story.chance.uniform(0.5, 8.0)
        world.clock.at(world.clock.now_s + lasts_s, None, setattr, world.agent, "is_cut", False)


def _restart_agent(story, world):
    if world.agent is not None:
        world.agent.restart()


def _press_stop(story, world):
    story.is_stopped = True
    story.is_unwanted |= world.session.is_beginning
    world.do(world.runner.stop)


def _stop_after_step(story, world):
    story.is_stopped = True
    world.do(world.session.stop_after_step)


def _step_clock(story, world):
    world.clock.stepped_s += story.chance.choice((-3600.0, 3600.0))


DEEDS = {
    "a worker is killed": _kill_worker,
    "a worker stands still": _stop_worker,
    "a worker joins": _join,
    "the master stands still": _stop_master,
    "the target drops all": _drop,
    "the target dies": _die,
    "the agent is cut off": _cut_agent,
    "the agent is restarted": _restart_agent,
    "stop is pressed": _press_stop,
    "stop after the step": _stop_after_step,
    "the clock is set": _step_clock,
}


def simulate(seed):
    """Return what broke a rule in the history of *seed*, and its story."""
    story = Story(seed)
    with staged(seed, **story.circumstances) as world:
        try:
            story.play(world)
        except StuckError as problem:
            return [f"the run does not end: {problem}"], story
        return list(broken_by(story, world)), story


def history(seed):
    """Return what the master said in the history of *seed*, and when."""
    story = Story(seed)
    with staged(seed, **story.circumstances) as world:
        story.play(world)
        return world.told


def find_planted(seeds):
    """Return the first seed that finds each planted fault, None where none does."""
    from planted import PLANTED, planted

    found = {}
    for name in PLANTED:
        with planted(name):
            found[name] = next((seed for seed in seeds if simulate(seed)[0]), None)
        print(f"{name}: {found[name]}", flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_500)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument(
        "--results", type=Path, help="a line of JSON for each seed that broke a rule"
    )
    parser.add_argument("--planted", action="store_true", help="find the planted faults instead")
    asked = parser.parse_args()
    if asked.planted:
        return None in find_planted(range(asked.first, asked.first + asked.seeds)).values()
    began_s, failed = time.monotonic(), 0
    for seed in range(asked.first, asked.first + asked.seeds):
        broken, story = simulate(seed)
        if broken:
            failed += 1
            line = json.dumps({"seed": seed, "faults": story.faults, "broken": broken})
            print(line, flush=True)
            if asked.results is not None:
                with asked.results.open("a") as file:
                    file.write(line + "\n")
    took_s = time.monotonic() - began_s
    print(f"{asked.seeds} seeds in {took_s:.1f} s: {failed} broke a rule")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
