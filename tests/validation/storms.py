"""Storm drills against what the plan had foretold: shares, habits and servers, and planted acceptors.

    python tests/validation/storms.py [PATTERN...]

Each setting is one run of the product with the drills of its profile; what came out is written to
reports/storms.json and printed. A drill counts as foretold where its time to 95 % restored is within
25 %; a planted acceptor as found where the rate is within 5 % and the burst is the planted one.
"""

import contextlib
import fnmatch
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import yaml
from planting import HERE, running
from prediction import PUSH, ROOT, RUNS, capacity

RESULTS = ROOT / "reports" / "storms.json"
WITHIN, RATE_WITHIN = 0.25, 0.05
CLIMBING_PER_S = 60
SETTINGS = {
    # name: server, options, share, habits, (rate, burst) of a planted acceptor. Those that a climb is
    # too slow to meet, at 60 connects a second, are declared in the target file.
    "exchange": ("exchange", (), 0.5, ("immediate", "full_jitter"), None),
    "aiohttp": ("aiohttp", (), 0.3, ("full_jitter", "exponential"), None),
    "aiohttp-all": ("aiohttp", ("--handshake-us", "2000"), 1.0, ("immediate", "retry_after"), None),
    "acceptor-50": ("synthetic", (), 0.5, ("immediate", "exponential"), (50, 5)),
    "acceptor-100": ("synthetic", (), 0.7, ("immediate", "full_jitter"), (100, 17)),
    "acceptor-200": ("synthetic", (), 0.5, ("immediate", "exponential"), (200, 40)),
}


@contextlib.contextmanager
def target(server, options, declared, folder):
    """Start a server with an agent beside it; yield what goes into its target file."""
    if server == "exchange":
        argv = [sys.executable, "-m", "capacity.cli.main", "exchange", "--port", "0"]
        said, channels, dialect = "ready on http://127.0.0.1:", ["ticker", "book"], "deribit"
        symbols = ["BTC-PERPETUAL", "ETH-PERPETUAL", "SOL-PERPETUAL"]
    else:
        file = "synthetic.py" if server == "synthetic" else f"with_{server}.py"
        argv = [sys.executable, str(HERE / "servers" / file), *options]
        said, channels, dialect = "server ready on 127.0.0.1:", ["updates"], str(PUSH)
        symbols = ["updates"]
    with running(argv, folder / "server.log", said) as (process, port):
        agent_argv = [sys.executable, "-m", "capacity.monitor", "--listen", "0"]
        agent_argv += ["--pid", str(process.pid)]
        with running(agent_argv, folder / "agent.log", "ready on ") as (_agent, url):
            yield {
                "target": 1,
                "name": "storm",
                "host": "127.0.0.1",
                "port": int(port),
                "dialect": dialect,
                "symbols": symbols,
                "channels": channels,
                "agent": {"url": url},
                "arrival_limit": declared and {"value": declared, "source": "its acceptor"},
            }


def profile(share_ratio, habits):
    return {
        **yaml.safe_load((ROOT / "config" / "profiles" / "storm.yaml").read_text()),
        "levels": 4,
        "settle_s": 1,
        "plateau_s": 4,
        "mix": {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0},
        "storm": {"share_ratio": share_ratio, "habits": list(habits), "base_s": 2, "longest_s": 60},
    }


def examined(name):
    """Return the drills of a setting as plan.json has them."""
    server, options, share_ratio, habits, planted = SETTINGS[name]
    declared = None
    if planted is not None:
        declared = planted[0] if planted[0] > CLIMBING_PER_S else None
        options = ("--accepts-per-s", str(planted[0]), "--accept-burst", str(planted[1]))
    with tempfile.TemporaryDirectory(prefix="storms-") as parent:
        folder = Path(parent)
        with target(server, options, declared, folder) as settings:
            for kind, content in (("target", settings), ("profile", profile(share_ratio, habits))):
                (folder / f"{kind}.yaml").write_text(yaml.safe_dump(content))
            measured = capacity(
                *("measure", "--target", folder / "target.yaml", "--profile"),
                *(folder / "profile.yaml", "--run", folder / "run"),
                cwd=folder,
            )
        planned = capacity("plan", folder / "run", cwd=folder)
        shutil.rmtree(RUNS / f"storm-{name}", ignore_errors=True)
        shutil.copytree(folder / "run", RUNS / f"storm-{name}")
        if planned.returncode:
            return [{"setting": name, "error": (measured.stderr + planned.stdout)[-600:]}]
        drills = json.loads((folder / "run" / "plan.json").read_text())["plan"]["advice"]["drills"]
    return [judged(name, server, share_ratio, planted, drill) for drill in drills]


def judged(name, server, share_ratio, planted, drill):
    """Return the figures of a drill, and whether they are what was foretold and planted."""
    times = {round(time["share_ratio"] * 100): time for time in drill["times"]}
    measured_s, foretold = times[95]["measured_s"], times[95]["foretold_s"]
    error = measured_s / foretold["mid"] - 1 if measured_s and foretold else None
    admission = drill["admission"]
    is_found = None
    if planted and drill["policy"] == "immediate":
        is_found = admission is not None and (
            abs(admission["per_s"] / planted[0] - 1) <= RATE_WITHIN
            and admission["burst"] == planted[1]
        )
    return {
        "setting": name,
        "server": server,
        "habit": drill["policy"],
        "share_ratio": share_ratio,
        "connections": drill["connections"],
        "cut": drill["cut"],
        "restored": drill["restored"],
        "measured_s": {share: time["measured_s"] for share, time in times.items()},
        "foretold_s": {
            share: time["foretold_s"] and time["foretold_s"]["mid"] for share, time in times.items()
        },
        "error_95": error,
        "is_foretold": error is not None and abs(error) <= WITHIN,
        "planted": planted,
        "admission": admission,
        "is_found": is_found,
        "overflows": drill["overflows"],
        "delay_p95_s": [
            drill[when] and drill[when]["p95_s"] for when in ("delay_before", "delay_during")
        ],
        "stayed_lost": drill["stayed_lost"],
        "aborted": drill["aborted"],
        "is_of_generator": drill["is_of_generator"],
    }


def main(patterns):
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    for name in SETTINGS:
        if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns or ["*"]):
            continue
        began_s = time.monotonic()
        results = [result for result in results if result["setting"] != name] + examined(name)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        for result in results:
            if result["setting"] == name:
                print(json.dumps(result), flush=True)
        print(f"{name}: {time.monotonic() - began_s:.0f} s", flush=True)
    foretold = [result.get("is_foretold", False) for result in results]
    found = [result["is_found"] for result in results if result.get("is_found") is not None]
    print(f"95 % restored within {WITHIN:.0%}: {sum(foretold)} of {len(foretold)}")
    print(f"acceptors found: {sum(found)} of {len(found)}")


if __name__ == "__main__":
    main(sys.argv[1:])
