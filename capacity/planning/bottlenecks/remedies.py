"""How to lift each wall: one sentence with the exact setting, fit for where the limit was read."""

from capacity.domain.resource_facts import RESOURCE_FACTS
from capacity.domain.resources import APPLICATION, Limit, Resource


def remedy(limit: Limit) -> str:
    """Return how to lift *limit*, naming where it was read or that it was declared."""
    facts = RESOURCE_FACTS[limit.resource]
    sentence = facts.remedy
    if limit.scope == "cgroup":
        sentence = facts.cgroup_remedy or sentence
    if limit.scope == APPLICATION:
        return (
            "Raise the setting that the application's own configuration has"
            f" ({limit.source}), start or reload the application, and keep the descriptor limit above"
            " it."
        )
    if limit.resource is Resource.EVENT_LOOP:
        return f"{sentence}."  # A law, not a setting: it is read from nowhere.
    how = "declared as" if limit.scope == "declared" else "read from"
    return f"{sentence}; current limit {how} {limit.source}."
