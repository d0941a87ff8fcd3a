"""What a plan says beyond its capacity: of clients that arrive, and of a mix that was not tested."""

import math

STORMS = frozenset({"burst", "stall", "storm"})
"""Ways of breaking whose truth is a number of arrivals and not of connections held."""


def predicted_arrivals(case, plan):
    """Return capacity, binding and ladder in arrivals, or an excuse."""
    cost = plan["advice"]["arrival_cost"]
    if "reason" in cost:
        return {"excuse": cost["reason"]}
    if case.breaking == "burst":
        fit = cost["at_once"]
        if fit is None:
            return {"excuse": "what arrivals hold in memory did not show"}
        return _answer([("memory", fit["low"], fit["mid"], fit["high"])])
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
    if (admitted := cost["admitted_per_s"]) is not None:
        rates.append(("arrival_limit", admitted, admitted, admitted))
    if (met := cost["admission_per_s"]) is not None:
        rates.append(("accept_rate", met["low"], met["mid"], met["high"]))
    return _answer(sorted(rates, key=lambda rate: rate[2]))


def predicted_for_other_mix(plan):
    """Return capacity, binding and ladder for the mix of the demand, or an excuse."""
    sizing = plan["advice"]["sizing"]
    if not sizing.get("hosts"):
        return {"excuse": str(sizing.get("reason") or sizing.get("unsized"))}
    walls = sorted(sizing["hosts"][0]["walls"], key=lambda wall: wall["ceiling"])
    first = walls[0]
    factor = math.exp(1.6449 * first["sigma"])
    mid = first["ceiling"]
    return {
        "capacity": {"low": mid / factor, "mid": mid, "high": mid * factor, "confidence": 0.9},
        "safe_capacity": sizing["hosts"][0]["safe_connections"],
        "binding": first["resource"],
        "ladder": [(wall["resource"], wall["ceiling"], None) for wall in walls[:4]],
        "highest_connections": plan["highest_connections"],
        "doubts": [doubt["kind"] for doubt in plan["doubts"]],
        "rules_of_thumb": {},
    }


def _answer(rates):
    resource, low, mid, high = rates[0]
    return {
        "capacity": {"low": low, "mid": mid, "high": high, "confidence": 0.9},
        "safe_capacity": int(low),
        "binding": resource,
        "ladder": [(resource, mid, None) for resource, _, mid, _ in rates],
    }
