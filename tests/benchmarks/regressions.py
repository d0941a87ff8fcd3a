"""How often `capacity compare` finds a connection that is 3 % dearer, and how often it cries wolf.

Runs are planted: known costs, four levels up to a quarter of the capacity, nine steps of twelve samples,
and noise that is independent from sample to sample (and from run to run, where the table says so). It
prints one line a kind of noise, of TRIALS comparisons with a change and as many without.
"""

import runpy
import sys
from pathlib import Path

from capacity.domain.answers.comparison import Outcome
from capacity.planning.comparison.comparison import compare

PLANTED = runpy.run_path(
    str(Path(__file__).parents[1] / "planning" / "comparison" / "planted_change.py")
)
measured = PLANTED["measured"]
TRIALS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
DEARER = 1.03
KINDS = {
    "samples: memory 0.2 %, CPU 1 %": (1, {}),
    "samples: memory 0.1 %, CPU 0.5 %": (1, {"memory_noise": 0.001, "cpu_noise": 0.005}),
    "samples: memory 0.2 %, CPU 3 %": (1, {"cpu_noise": 0.03}),
    "samples: memory 0.4 %, CPU 3 %, 3 runs a side": (
        3,
        {"memory_noise": 0.004, "cpu_noise": 0.03},
    ),
    "samples: memory 0.2 %, CPU 1 %; runs: 1 %": (1, {"run_noise": 0.01}),
    "samples: memory 0.2 %, CPU 1 %; runs: 1 %, told": (1, {"run_noise": 0.01}),
    "samples: memory 0.2 %, CPU 1 %; runs: 1 %, 5 runs a side": (5, {"run_noise": 0.01}),
}


def compared(trial, runs, noise, told, **change):
    before = [measured(1_000_000 + 10 * trial + n, **noise) for n in range(runs)]
    after = [measured(5_000_000 + 10 * trial + n, **noise, **change) for n in range(runs)]
    return compare(after, before, run_noise_ratio=told)


def main():
    print(f"{'noise (standard deviation)':58} memory +3 %   CPU +3 %   false alarms   of {TRIALS}")
    for name, (runs, noise) in KINDS.items():
        told = noise["run_noise"] if name.endswith("told") else 0.0
        memory = cpu = alarms = 0
        for trial in range(TRIALS):
            found = compared(trial, runs, noise, told, memory=DEARER, cpu=DEARER).regressions
            memory += "cost.memory_per_connection" in found
            cpu += "cost.event_loop_per_connection" in found
            alarms += compared(trial, runs, noise, told).outcome is Outcome.REGRESSION
        print(f"{name:58} {memory:11} {cpu:10} {alarms:14}", flush=True)


if __name__ == "__main__":
    main()
