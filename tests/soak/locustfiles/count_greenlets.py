"""Counts the greenlets of master and workers into a file each, for tests/soak; nothing where none is named."""

import locust

import gc
import json
import os
import tracemalloc
from pathlib import Path
from weakref import WeakSet

import gevent

EVERY_S = 5.0
WARM_UP_S = 120.0
COUNTS = os.environ.get("CAPACITY_SOAK_COUNTS")
TRACE_FRAMES = int(os.environ.get("CAPACITY_SOAK_TRACE_FRAMES", "0"))
"""Above 0, what has grown since the warm-up is written beside the counts."""
STARTED = WeakSet()

if COUNTS is not None:
    gevent.Greenlet.add_spawn_callback(STARTED.add)


@locust.events.init.add_listener
def count(**_):
    if COUNTS is not None:
        gevent.spawn(_count_forever, Path(COUNTS, str(os.getpid())))


def _count_forever(file):
    before, age_s = None, 0.0
    if TRACE_FRAMES:
        tracemalloc.start(TRACE_FRAMES)
    while True:
        gevent.sleep(EVERY_S)
        age_s += EVERY_S
        alive = sum(not each.dead for each in STARTED)
        fresh = file.with_suffix(".new")  # Whoever reads sees the count before or this one.
        fresh.write_text(json.dumps({"greenlets": alive}), encoding="utf-8")
        fresh.replace(file)
        if TRACE_FRAMES and age_s % 30 == 0 and age_s >= WARM_UP_S:
            gc.collect()
            now = tracemalloc.take_snapshot()
            before = before or now
            file.with_suffix(f".grown-{age_s:.0f}").write_text(grown(before, now), encoding="utf-8")


def grown(before, now):
    """Return what has come to hold more memory, the most first, by its callers."""
    texts = []
    for each in now.compare_to(before, "traceback")[:30]:
        texts += [f"{each.size_diff:+} bytes, {each.count_diff:+} blocks", *each.traceback.format()]
    return "\n".join(texts)
