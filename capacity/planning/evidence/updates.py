"""
Whether subscriptions brought updates at all.

A dialect that does not fit its target counts every frame as not understood and no delivery: what was
measured then is the load of connections that hear nothing, under the name of one that does.
"""

from collections import Counter
from collections.abc import Iterable

from capacity.domain import units
from capacity.domain.observation import StepObservation
from capacity.domain.run import RunRecord
from capacity.domain.words import listed, printable
from capacity.planning.evidence.missing_evidence import Gap
from capacity.planning.evidence.windows import is_usable, plateau_of

UNMATCHED_FRAME = "unmatched_frame"
"""Event with an example of a frame that was not understood."""
_SHOWN_LETTERS = 160


def no_updates(record: RunRecord) -> Gap | None:
    """Return what is missing where channels were followed and not one update was understood."""
    followed = [step for step in record.steps if is_usable(step) and _follows(step)]
    if not followed or any(step.load and step.load.deliveries_per_s > 0.0 for step in followed):
        return None
    where = f"the {units.counted(len(followed), 'plateau')} with subscriptions"
    frames = sum(step.unmatched for step in followed)
    if frames:
        return Gap(
            f"None of the {units.counted(frames, 'frame')} received on {where} matched the dialect's"
            f" rule for updates{unmatched_classes(followed)}{unmatched_example(record)}, so no delivery was counted.",
            "Correct data.where and data.key in the dialect, see with `capacity dialect try` what it"
            " makes of each frame, and measure again.",
        )
    plateaus = [plateau for step in followed if (plateau := plateau_of(step)) is not None]
    seconds = sum(end - begin for begin, end in plateaus)
    return Gap(
        f"No update was received on {where}, in {units.duration(seconds)} and on up to"
        f" {units.counted(_most_connections(followed), 'connection')}.",
        "Check with `capacity doctor` whether the target publishes to the channels and symbols of the"
        " target file; to measure idle connections, set subscriptions_per_connection to 0 in the"
        " profile.",
    )


def unmatched_classes(steps: Iterable[StepObservation]) -> str:
    """Return why frames were not understood, each class with its count, after a colon; or nothing."""
    classes: Counter[str] = Counter()
    for step in steps:
        classes.update(step.unmatched_by)
    shown = [f"{units.count(count)} {printable(kind)}" for kind, count in classes.most_common()]
    return f": {listed(shown)}" if shown else ""


def _follows(step: StepObservation) -> bool:
    return (
        step.step.subscriptions_per_connection > 0
        and step.load is not None
        and step.load.connections > 0.0
    )


def _most_connections(steps: list[StepObservation]) -> int:
    return max(round(step.load.connections) for step in steps if step.load is not None)


def unmatched_example(record: RunRecord, of: str = "") -> str:
    """Return how the first frame that was not understood begins, *of* that class, in parentheses; or nothing."""
    reasons = (
        event.detail.get("reason") for event in record.events if event.kind == UNMATCHED_FRAME
    )
    texts = (reason for reason in reasons if isinstance(reason, str))
    first = next((text for text in texts if of in text), None)
    return "" if first is None else f" ({printable(first, _SHOWN_LETTERS)})"
