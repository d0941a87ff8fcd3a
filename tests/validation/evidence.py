"""What a run's own record shows, read with nothing of the product: what was held, what was not.

A count is held where a step offered the mix on a plateau and at least 97 % of the updates that were due
arrived, nobody was refused or lost, and the objective was kept; it is failed where that is clearly not so.
"""

import json

RECEIVED_RATIO, FAILED_RATIO, LOST_RATIO = 0.97, 0.9, 0.1
OPENING = ("connect_", "handshake_", "tls_", "proxy_", "subscribe_")
"""How the reasons begin for which a connection did not open."""
REFUSING_GUARDS = frozenset({"slo", "refusal"})
"""Guards that trip on what was held up, and not on a limit that is near."""


def lines(path):
    """Return a file's documents; one that was torn is left out."""
    found = []
    if path.exists():
        for line in path.read_text().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    return found


def evidence_of(run, updates_per_s, slo=None):
    """Return what a run directory says of connections opened, refused, held and failed."""
    steps, points = lines(run / "steps.jsonl"), lines(run / "load.jsonl")
    events = lines(run / "events.jsonl")
    refusals = {}
    for step in steps:
        for reason, count in step["failures"].items():
            if reason.startswith(OPENING):
                refusals[reason] = refusals.get(reason, 0) + count
    failures = max((point["failures"] for point in points), default=0)
    # A step that a guard ended leaves no observation: what failed in it counts as refused.
    unrecorded = failures - sum(sum(step["failures"].values()) for step in steps)
    if unrecorded > 0:
        refusals["unrecorded"] = unrecorded
    judged = [(step, verdict(step, updates_per_s, slo)) for step in steps]
    held = [step["step"]["connections"] for step, is_held in judged if is_held]
    failed = [most_open(step) for step, is_held in judged if is_held is False]
    guards = [event["detail"] for event in events if event["kind"] == "guard"]
    if points and any(guard.get("guard") in REFUSING_GUARDS for guard in guards):
        last = points[-1]["index"]
        failed.append(max(p["open_connections"] for p in points if p["index"] == last))
    opened = [point["open_connections"] for point in points]
    opened += [step["connections_peak"] for step in steps]
    return {
        "highest_opened": max(opened, default=0),
        "refusals": sum(refusals.values()),
        "refused": refusals,
        "failures": failures,
        "highest_held": max(held, default=0),
        "lowest_failed": min((count for count in failed if count), default=None),
        "guards": [guard.get("statement") or guard.get("guard") for guard in guards],
        "levels": [step["step"]["connections"] for step in steps],
    }


def most_open(step):
    """Return the count that failed: what was open at most, the asked count on a plateau."""
    if step["plateau_started_at"] is None:
        return step["connections_peak"]
    return step["step"]["connections"]


def verdict(step, updates_per_s, slo=None):
    """Tell whether a step with the mix was held (True) or failed (False); None where it tells nothing."""
    asked = step["step"]
    if step["void"] is not None or not asked["is_mix"] or not asked["connections"]:
        return None
    refused = sum(n for reason, n in step["failures"].items() if reason.startswith(OPENING))
    if step["plateau_started_at"] is None or step["load"] is None:
        return False if refused else None
    due = asked["connections"] * updates_per_s * min(1, asked["subscriptions_per_connection"])
    received = step["load"]["deliveries_per_s"] / due if due else 1.0
    is_slow = False
    if slo is not None:
        delay = step["delivery_delay"] or {"p95_s": 0.0}
        is_slow = delay["p95_s"] > slo
    if received >= RECEIVED_RATIO and not refused and not step["lost"] and not is_slow:
        return True
    many_lost = step["lost"] / asked["connections"] > LOST_RATIO
    if received < FAILED_RATIO or is_slow or many_lost:
        return False
    return None
