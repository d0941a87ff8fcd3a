"""Re-enacts incidents and their healthy twins, and writes down what was said and what then broke.

    python tests/museum/reenact.py [EXHIBIT...] [--scene incident|twin] [--again] [--list]

Patterns name exhibits; all by default. What has an outcome of the present commit is not run again but
with --again. Nothing is replaced: outcomes are appended to reports/museum/outcomes.jsonl, and the run
directories are kept in CAPACITY_MUSEUM_RUNS (reports/runs/museum). Root, namespaces and version 1
cgroups are needed; a scene takes some three minutes.
"""

import argparse
import contextlib
import fnmatch
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "validation"))

import results
from gallery import exhibits
from judging import verdict
from network import CannotPlantError
from planting import MODULES, NEEDS, check
from prediction import predict_as_shipped
from provenance import mix_as_shipped, provenance
from run import break_once, broken, frozen

HERE = Path(__file__).parent
MODULES["fleet"] = (str(HERE / "servers" / "with_fleet.py"),)
MODULES["behind a provider"] = (str(HERE / "servers" / "with_provider.py"),)
NEEDS["fleet"] = NEEDS["behind a provider"] = ("haproxy",)
OUTCOMES = ROOT / "reports" / "museum" / "outcomes.jsonl"
RUNS = Path(os.environ.get("CAPACITY_MUSEUM_RUNS", ROOT / "reports" / "runs" / "museum"))
BREAKS = 3


def truths_of(exhibit, scene, case, folder):
    """Return where an incident's server broke, each time anew; of a twin, what it held of the load.

    Where the load is held for some time only, that time in seconds.
    """
    load = exhibit.load * exhibit.instances
    if exhibit.holds_s:
        return [break_once(case, folder, 0, load, exhibit.holds_s)]
    if scene == "incident":
        return [count / exhibit.instances for count in broken(case, folder, BREAKS)]
    most = 0 if case.breaking == "storm" else load + 1
    return [break_once(case, folder, 0, load, most) / exhibit.instances]


def examine(exhibit, scene, kept):
    """Return the outcome of a scene: what was said, its hash, and what then broke or held."""
    case = exhibit.scenes()[scene]
    check(case)
    began_s = time.monotonic()
    has_polls = case.has_rest and case.breaking == "ramp"
    polls_per_s = mix_as_shipped()["requests_per_s_per_connection"] if has_polls else 0.0
    with tempfile.TemporaryDirectory(prefix="museum-") as name:
        folder = Path(name)
        made_by = provenance(case)
        prediction, harm = predict_as_shipped(case, folder, kept)
        digest = frozen(case, prediction)
        to_break = replace(exhibit.breaking(scene), polls_per_s=polls_per_s)
        truths = truths_of(exhibit, scene, to_break, folder)
    return {
        "exhibit": exhibit.folder,
        "scene": scene,
        "server": case.server,
        "binding": case.binding,
        "load": exhibit.load,
        "is_storm": case.breaking in {"storm", "burst"},
        "is_time": bool(exhibit.holds_s),
        "abstains_with": exhibit.abstains_with,
        **made_by,
        "run": kept.name,
        "sha256": digest,
        "prediction": prediction,
        "harm": harm,
        "truths": truths,
        "truth": statistics.median(truths),
        "seconds": round(time.monotonic() - began_s),
        "at": round(time.time()),
    }


def show(exhibit, scene):
    """Re-enact a scene and write its outcome down, or say why there is none."""
    kept = RUNS / f"{exhibit.folder}-{scene}-{round(time.time())}"
    try:
        outcome = examine(exhibit, scene, kept)
    except CannotPlantError as error:
        print(f"{exhibit.folder}, {scene}: skipped: {error}", flush=True)
        return
    except (subprocess.SubprocessError, RuntimeError, OSError, ValueError) as error:
        print(f"{exhibit.folder}, {scene}: failed: {error!r}"[:400], flush=True)
        return
    for group in Path("/sys/fs/cgroup/pids").glob("capacity-museum-*"):
        with contextlib.suppress(OSError):  # Another one's.
            group.rmdir()
    results.append(OUTCOMES, outcome)
    said = outcome["prediction"]
    print(
        f"{exhibit.folder}, {scene}: {verdict(outcome)}: {said.get('binding')} "
        f"{said.get('capacity', {}).get('mid')}, truths {outcome['truths']}, "
        f"{outcome['seconds']} s",
        flush=True,
    )


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("patterns", nargs="*", default=["*"])
    parser.add_argument("--scene", choices=("incident", "twin"))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args(arguments)
    commit = provenance(exhibits()[0].twin)["commit"]
    done = {(row["exhibit"], row["scene"], row["commit"]) for row in results.read(OUTCOMES)}
    for exhibit in exhibits():
        if not any(fnmatch.fnmatch(exhibit.folder, each) for each in options.patterns or ["*"]):
            continue
        for scene in exhibit.scenes():
            if options.scene not in {None, scene}:
                continue
            if options.list:
                print(f"{exhibit.folder}, {scene}")
            elif options.again or (exhibit.folder, scene, commit) not in done:
                show(exhibit, scene)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
