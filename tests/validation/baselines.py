"""What rules of thumb say from the same run, to be held against the product's prediction."""

import math
import statistics

import numpy as np

from capacity.models.usl import scalability_law
from capacity.recording.run_directory import load


def rules_of_thumb(run, plan):
    """Return capacity by rule: memory over what a connection took, least squares, last step, USL."""
    record = load(run)
    steps = [step for step in record.steps if step.plateau_started_at and step.void is None]
    offset_s = record.manifest.clock_offset.offset_s if record.manifest.clock_offset else 0.0
    limits = {
        wall["resource"]: wall["limit"]["value"]
        for wall in plan["ladder"]
        if wall["limit"]["value"] is not None
    }
    used = {}
    for step in steps:
        for resource in limits:
            values = [
                sample.used[resource]
                for sample in record.samples
                if step.plateau_started_at <= sample.at - offset_s <= step.plateau_ended_at
                and resource in sample.used
            ]
            if values:
                at = (step.load.connections, statistics.median(values))
                used.setdefault(resource, []).append(at)
    highest = max(step.load.connections for step in steps)
    said = {"least squares": [], "last step over utilization": []}
    for resource, points in used.items():
        counts, uses = np.array(points).T
        last = float(uses[counts == counts.max()].max())
        if last > 0:
            said["last step over utilization"].append(highest * limits[resource] / last)
        if np.ptp(counts) > 0:
            slope, base = np.polyfit(counts, uses, 1)
            if slope > 0:
                said["least squares"].append((limits[resource] - base) / slope)
    rules = {name: round(min(values), 1) for name, values in said.items() if values}
    if "memory" in used:
        _count, rss = max(used["memory"])
        rules["memory limit over memory of a connection"] = round(
            limits["memory"] / (rss / highest), 1
        )
    peak = peak_of_scalability([step.load for step in steps if step.load.deliveries_per_s > 0.0])
    if peak is not None:
        rules["USL peak"] = round(peak, 1)
    return rules


def peak_of_scalability(loads):
    """Return the connections at which deliveries would peak, None where nothing bends yet."""
    law = scalability_law(
        [load.connections for load in loads], [load.deliveries_per_s for load in loads]
    )
    if law is None or law.coherency <= 0.0:
        return None
    return max(1.0, math.sqrt(max(0.0, 1.0 - law.contention) / law.coherency))  # Gunther's N*.
