"""Whether an incident was foretold and a healthy twin left in peace. Pure functions of outcomes."""

NEAR_RATIO = 0.10
SHARE = 0.26
"""Of what breaks, as far as a safe run may go: a quarter, and what a step rounds up."""


def is_answered(outcome):
    return "capacity" in outcome["prediction"]


def error_ratio(outcome):
    """Return how far the answer is above the truth, as a ratio of it; None without an answer."""
    if not is_answered(outcome) or not outcome["truth"] or outcome.get("is_time"):
        return None
    return outcome["prediction"]["capacity"]["mid"] / outcome["truth"] - 1


def share_of_truth(outcome):
    """Return how much of what breaks was open in the safe run; None where arrivals were asked for."""
    if outcome["is_storm"] or outcome.get("is_time") or not outcome["truth"]:
        return None
    return outcome["harm"].get("highest_opened", 0) / outcome["truth"]


def has_reason(outcome):
    """Tell whether no number was given, with every word that an answer which abstains must have."""
    said = outcome["prediction"]
    if is_answered(outcome):
        return False
    words = " ".join([said.get("excuse", ""), *said.get("doubts", ()), *said.get("statements", ())])
    wanted = outcome["abstains_with"]
    return bool(wanted) and all(each in words for each in wanted)


def verdict(outcome):
    """Return named, abstained or missed of an incident; quiet, silent or false alarm of a twin."""
    if outcome["scene"] == "twin":
        return of_twin(outcome)
    if has_reason(outcome):
        return "abstained"
    error, share = error_ratio(outcome), share_of_truth(outcome)
    is_named = outcome["prediction"].get("binding") == outcome["binding"]
    is_early = share is None or share <= SHARE
    if is_named and is_early and error is not None and abs(error) <= NEAR_RATIO:
        return "named"
    return "missed"


def of_twin(outcome):
    """A false alarm foretells that the twin does not hold a load that it did hold."""
    if outcome["harm"].get("guards"):
        return "false alarm"
    if not is_answered(outcome):
        return "silent"
    return "false alarm" if outcome["prediction"]["safe_capacity"] < outcome["load"] else "quiet"
