"""How to lift each wall: one sentence with the exact setting, fit for where the limit was read."""

from capacity.domain.resource_facts import RESOURCE_FACTS
from capacity.domain.resources import APPLICATION, SELECT, Limit, Resource

_FROM_DESCRIPTORS = " descriptors"
"""In the source of a cap that an application computes from how many it may have."""


def remedy(limit: Limit) -> str:
    """Return how to lift *limit*, naming where it was read or that it was declared."""
    facts = RESOURCE_FACTS[limit.resource]
    sentence = facts.remedy
    if limit.scope == "cgroup":
        sentence = facts.cgroup_remedy or sentence
    if limit.scope == SELECT:
        return (
            "Let the application wait with epoll(7) or poll(2) (ReactPHP: ext-ev or ext-event), or run"
            " more processes; a higher limit of open files does not help it."
        )
    if limit.scope == APPLICATION:
        if _FROM_DESCRIPTORS in limit.source:
            return (
                f"{RESOURCE_FACTS[Resource.DESCRIPTORS].remedy}, and start the application anew: its"
                f" own limit follows from it ({limit.source})."
            )
        above = "memory" if facts.is_process_bytes else "descriptor"
        return (
            "Raise the setting that the application's own configuration has"
            f" ({limit.source}), start or reload the application, and keep the {above} limit above"
            " it."
        )
    if limit.resource is Resource.EVENT_LOOP:
        return f"{sentence}."  # A law, not a setting: it is read from nowhere.
    how = "declared as" if limit.scope == "declared" else "read from"
    return f"{sentence}; current limit {how} {limit.source}."
