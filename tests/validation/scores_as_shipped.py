"""Scores of what is examined as shipped: the answers, and what it took to get them.

Pure functions of results, the newest one of each case.
"""

import statistics

from scores import error_ratio, is_answered, quantile, scores_of

TOO_HIGH_RATIO, WRONG_RATIO = 0.20, 0.10
LONG_THROTTLED_S = 2.0


def particular(results):
    """Return the doubts that say something of a case: those on at most half of the answers."""
    answered = [set(result["prediction"]["doubts"]) for result in results if is_answered(result)]
    kinds = set().union(*answered) if answered else set()
    return {kind for kind in kinds if sum(kind in each for each in answered) <= len(answered) / 2}


def is_contradicted(result):
    """Tell whether the run that an answer is from shows a count held above it, or failed below it."""
    if not is_answered(result) or result["kind"] in {"arrivals", "unseen mix"}:
        return False  # Another number than the connections of the run's own mix.
    capacity, harm = result["prediction"]["capacity"], result["harm"]
    failed = harm.get("lowest_failed")
    return (failed is not None and capacity["low"] > failed) or (
        capacity["high"] < harm.get("highest_held", 0)
    )


def share_of_truth(result):
    """Return the most connections that the safe run had open, over what the target holds.

    None where the truth is no number of connections.
    """
    opened = result["harm"].get("highest_opened")
    if opened is None or result["kind"] == "arrivals" or not result["truth"]:
        return None
    return opened / result["truth"]


def answers_of(results, doubts):
    """Return scores of the answers; *doubts* are the particular ones."""
    answered = [result for result in results if is_answered(result)]
    silent = [
        result
        for result in answered
        if error_ratio(result) > TOO_HIGH_RATIO and not doubts & set(result["prediction"]["doubts"])
    ]
    return {
        **scores_of(results),
        "silently_too_high": len(silent),
        "contradicted": sum(map(is_contradicted, results)),
    }


def harm_of(results):
    """Return scores of what the safe runs did to their targets."""
    harms = [result["harm"] for result in results]
    shares = [share for share in map(share_of_truth, results) if share is not None]
    took_s = [harm["seconds"] for harm in harms]
    return {
        "cases": len(results),
        "died": sum(harm["target_died"] for harm in harms),
        "oom_killed": sum(harm["oom_kills"] > 0 for harm in harms),
        "throttled": sum(harm["throttled_s"] > LONG_THROTTLED_S for harm in harms),
        "most_refused": max((harm.get("refusals", 0) for harm in harms), default=None),
        "most_share": max(shares, default=None),
        "median_share": statistics.median(shares) if shares else None,
        "median_s": statistics.median(took_s) if took_s else None,
        "p90_s": quantile(took_s, 0.9) if took_s else None,
        "longest_s": max(took_s, default=None),
    }


def likelihood_ratios(results):
    """Return doubt -> how often on wrong and on right answers, and the one over the other.

    Half a case is added to each count, so that a doubt never seen on a right answer has a ratio.
    """
    answered = [result for result in results if is_answered(result)]
    wrong = [r for r in answered if abs(error_ratio(r)) > WRONG_RATIO]
    right = [r for r in answered if abs(error_ratio(r)) <= WRONG_RATIO]
    ratios = {}
    for kind in sorted({kind for r in answered for kind in r["prediction"]["doubts"]}):
        on_wrong = sum(kind in r["prediction"]["doubts"] for r in wrong)
        on_right = sum(kind in r["prediction"]["doubts"] for r in right)
        ratio = ((on_wrong + 0.5) / (len(wrong) + 1)) / ((on_right + 0.5) / (len(right) + 1))
        ratios[kind] = {
            "wrong": (on_wrong, len(wrong)),
            "right": (on_right, len(right)),
            "ratio": ratio,
        }
    return ratios
