"""The live page late in a day's run of 60,000 connections: python tests/benchmarks/live_state.py [CONNECTIONS [HOURS]]

Nothing is loaded: the page is served, by the code that always serves it, of a run whose recorder holds that
many hours of points and samples, made from the recorded example, and gets one more of each every second.
Chromium shows it; the aim is no task beyond 50 ms. A minute.
"""

from locust.argument_parser import get_parser
from locust.env import Environment

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gevent
import hour_run
from browser import open_page
from live_page import LONGEST_TASK_MS, WATCH, answered, held

from capacity.domain.resources import Resource
from capacity.loadgen.master.recorder import Recorder
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.loadgen.web.pages import mount
from capacity.planning.plan import plan
from capacity.recording.run_directory import load
from capacity.settings.locate import find
from capacity.settings.profile import load_profile
from capacity.settings.target import load_target
from capacity.workload.profiles.profile import Phase, Position

CONNECTIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
HOURS = int(sys.argv[2]) if len(sys.argv) > 2 else 24
PORT, SERVED = 24399, "CAPACITY_SERVED_FOLDER"
HOUR_S, COUNTED = 3600, Resource.APPLICATION_CONNECTIONS
STEPS, WORKERS = 12, 4
OPTIONS = {
    **dict.fromkeys(
        ("capacity_run", "capacity_resume", "capacity_web_allow", "capacity_web_names"), ""
    ),
    "capacity_target": "demo",
    "capacity_profile": "safe",
}


class Run(SimpleNamespace):
    """What the page asks of a controller; hashable, as a controller is."""

    __hash__ = object.__hash__


def run_of(folder):
    """Return the run as the page sees it, with what its next second brings."""
    record = load(hour_run.written(folder / "hour"))
    first_at, now_at = record.points[0].at, time.time()
    most = max(point.open_connections for point in record.points)
    began_at = now_at - HOURS * HOUR_S

    def at(n, length):
        return began_at + (n + 1) * HOURS * HOUR_S / length

    def scaled(sample, moment):
        used = {**sample.used, COUNTED: sample.used.get(COUNTED, 0.0) / most * CONNECTIONS}
        return replace(sample, at=moment, used=used)

    recorder = SimpleNamespace(
        path=folder, started_at=began_at, events=[], points=[], now=time.time
    )
    recorder._points_seen, recorder._every = 0, 1
    points, seconds = record.points * HOURS, len(record.points) * HOURS
    for n, point in enumerate(points):
        count = round(point.open_connections / most * CONNECTIONS)
        Recorder._keep(recorder, replace(point, at=at(n, seconds), open_connections=count))
    samples = record.samples * HOURS
    recorder.samples = [scaled(each, at(n, len(samples))) for n, each in enumerate(samples)]
    answer = plan(record)

    def later(moment):
        return None if moment is None else began_at + (moment - first_at) * HOURS

    steps = [
        replace(
            step,
            plateau_started_at=later(step.plateau_started_at),
            plateau_ended_at=later(step.plateau_ended_at),
        )
        for step in record.steps[:STEPS]
    ]
    step = replace(record.steps[STEPS].step, connections=CONNECTIONS)
    offset = replace(record.manifest.clock_offset, offset_s=0.0)
    run = Run(
        recorder=recorder,
        preflight=SimpleNamespace(
            agent=SimpleNamespace(delay_s=1.0),
            limits=record.manifest.agent.limits,
            clock_offset=offset,
        ),
        forecasts=SimpleNamespace(
            made=[SimpleNamespace(after_step=n, answer=answer) for n in range(2, STEPS + 1)]
        ),
        target=load_target(find("targets", "demo")),
        profile=load_profile(find("profiles", "safe")),
        position=Position(index=STEPS, phase=Phase.PLATEAU, since_s=0.0),
        step=step,
        steps=[step] * (STEPS + 2),
        observations=steps,
        total_steps=STEPS + 2,
        course=SimpleNamespace(is_search=False),
        counts=MergedCounts(),
        results=SimpleNamespace(connections_peak=CONNECTIONS),
        pool=SimpleNamespace(
            gauges={str(n): {"cpu_ratio": 0.4, "descriptors_ratio": 0.75} for n in range(WORKERS)}
        ),
        open_connections=CONNECTIONS,
        users=CONNECTIONS // 100,
        elapsed_s=0.0,
        ending=None,
        is_over=False,
        exit_code=0,
        stops_after_step=False,
    )
    return run, recorder.points[-1], recorder.samples[-1]


def serve(folder):
    """Serve the page of such a run, which goes on, until the process is ended."""
    run, point, sample = run_of(folder)
    sys.argv = ["locust"]
    environment = Environment()
    environment.parsed_options = get_parser(default_config_files=[]).parse_args([])
    vars(environment.parsed_options).update(OPTIONS)
    environment.create_local_runner()
    environment.web_ui = environment.create_web_ui("127.0.0.1", PORT)
    session = SimpleNamespace(controller=run, problem=None, is_beginning=False, is_busy=True)
    mount(environment, session)
    while True:
        gevent.sleep(1.0)
        run.elapsed_s += 1.0
        Recorder._keep(run.recorder, replace(point, at=time.time(), open_connections=CONNECTIONS))
        run.recorder.samples.append(replace(sample, at=time.time()))


def main():
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, str(CONNECTIONS), str(HOURS)]
        server = subprocess.Popen(command, env={**os.environ, SERVED: folder})
        try:
            answered(
                f"http://127.0.0.1:{PORT}/capacity/data", lambda answer: answer.json()["is_busy"]
            )
            with open_page() as page:
                page.show(f"http://127.0.0.1:{PORT}/capacity/")
                page.tell(WATCH)
                longest_ms = held(page, f"{HOURS} hours, {CONNECTIONS:,} connections")
        finally:
            server.terminate()
            server.wait(30)
    return int(longest_ms > LONGEST_TASK_MS)


if __name__ == "__main__":
    sys.exit(serve(Path(os.environ[SERVED])) if SERVED in os.environ else main())
