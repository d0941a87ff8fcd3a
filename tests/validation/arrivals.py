"""What a plan says of clients that arrive: how many a queue holds, how many a second are served."""

STORMS = frozenset({"stall", "storm"})
"""Ways of breaking whose truth is a number of arrivals and not of connections held."""


def predicted_arrivals(case, plan):
    """Return capacity, binding and ladder in arrivals, or an excuse."""
    cost = plan["advice"]["arrival_cost"]
    if "reason" in cost:
        return {"excuse": cost["reason"]}
    if case.breaking == "stall":
        held = cost["backlog"]
        if held is None:
            return {"excuse": "the accept queue was not read"}
        return _answer([("accept_queue", held, held, held)])
    walls = {wall["resource"]: wall for wall in plan["ladder"]}
    rates = []
    for resource, taken in cost["cpu_s"].items():
        wall = walls[resource]
        spare = wall["limit"]["value"] - wall["used_at_baseline"]
        low, mid, high = (spare / max(taken[end], 1e-9) for end in ("high", "mid", "low"))
        rates.append((resource, low, mid, high))
    return _answer(sorted(rates, key=lambda rate: rate[2]))


def _answer(rates):
    resource, low, mid, high = rates[0]
    return {
        "capacity": {"low": low, "mid": mid, "high": high, "confidence": 0.9},
        "safe_capacity": int(low),
        "binding": resource,
        "ladder": [(resource, mid, None) for resource, _, mid, _ in rates],
    }
