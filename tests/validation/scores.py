"""Scores of the predictions: pure functions of results, one dictionary for a case."""

import math
import statistics

Z_80, Z_90 = 1.2816, 1.6449
"""Quantiles of the normal distribution: an 80 % interval is drawn from the 90 % one by them."""
UNSAFE_RATIO = 0.10


def is_answered(result):
    return "capacity" in result["prediction"] and result["truth"] > 0


def error_ratio(result):
    """Return how far the prediction is from the truth, as a share of the truth."""
    return result["prediction"]["capacity"]["mid"] / result["truth"] - 1.0


def quantile(values, share):
    """Return the nearest-rank quantile."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def is_covered(result, z):
    """Tell whether the interval of that width has the truth, or one connection beside it."""
    capacity = result["prediction"]["capacity"]
    low = capacity["mid"] - (capacity["mid"] - capacity["low"]) * z / Z_90
    high = capacity["mid"] + (capacity["high"] - capacity["mid"]) * z / Z_90
    return low - 1 <= result["truth"] <= high + 1


def is_named(result, within=1):
    """Tell whether what binds is among the first *within* walls; a loop is named by its core too."""
    same = {"event_loop": {"event_loop", "cpu"}}
    allowed = same.get(result["binding"], {result["binding"]})
    ladder = [wall[0] for wall in result["prediction"]["ladder"][:within]]
    return bool(allowed & set(ladder))


def scores_of(results):
    """Return the scores of a row of the table; shares are None where nothing was answered.

    What intervals cover is a count and its total: those that were calibrated on a case, or drawn
    before that, are not judged by it.
    """
    answered = [result for result in results if is_answered(result)]
    errors = [error_ratio(result) for result in answered]
    sizes = [abs(error) for error in errors]

    current = [result for result in answered if not result.get("before_calibration")]

    def covered(z):
        held = sum(is_covered(result, z) for result in current)
        return (held, len(current)) if current else None

    def share(truths):
        return sum(truths) / len(answered) if answered else None

    return {
        "cases": len(results),
        "answered": len(answered),
        "median_error": statistics.median(sizes) if sizes else None,
        "p90_error": quantile(sizes, 0.9) if sizes else None,
        "log_bias": statistics.mean(math.log1p(error) for error in errors) if errors else None,
        "unsafe": share([error > UNSAFE_RATIO for error in errors]),
        "named": share([is_named(result) for result in answered]),
        "named_in_two": share([is_named(result, within=2) for result in answered]),
        "covered_80": covered(Z_80),
        "covered_90": covered(Z_90),
        "failures_caused": sum(bool(result["prediction"]["target_failed"]) for result in results),
    }


def rule_errors(results):
    """Return rule of thumb -> median size of its error, over the answered cases that it answers."""
    sizes = {}
    for result in filter(is_answered, results):
        for rule, predicted in result["prediction"].get("rules_of_thumb", {}).items():
            if rule.startswith("memory") and result["kind"] != "memory":
                continue
            sizes.setdefault(rule, []).append(abs(predicted / result["truth"] - 1.0))
    return {rule: (statistics.median(values), len(values)) for rule, values in sizes.items()}
