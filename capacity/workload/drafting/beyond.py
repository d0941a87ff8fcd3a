"""What a recording shows and a draft does not say: requests of other kinds, names that are handed out."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson

from capacity.workload.dialects.matching import MISSING, getter
from capacity.workload.drafting.asking import ID_NAMES
from capacity.workload.drafting.heard import Heard
from capacity.workload.drafting.leaves import leaves, texts
from capacity.workload.drafting.sections import Draft

_LEAST_NUMBER = 10
"""A smaller one is rather a flag or a count than a channel's."""
_SHOWN = 120
_OFTEN = 3
_MOST_FRAMES = 400


def doubt_what_is_beyond(heard: Heard, draft: Draft) -> None:
    """Say in the draft's doubts what it leaves out, and which keys would say it."""
    found = handed_out(heard)
    if found is not None:
        told, carried = found
        _doubt(
            draft,
            "data",
            f"most frames have at {carried} a number that answers hand out at {told}: write"
            f' subscribe.ack.alias: {told} and data.key: "{carried}", as bitfinex.yaml does',
        )
    elif other := next(_other_requests(heard), None):
        _doubt(
            draft,
            "channels",
            f"this asks for channels in another way: {orjson.dumps(other).decode()[:_SHOWN]}; write what"
            " differs into request of each channel, and {channel.part} into send, as gate.yaml does",
        )


def handed_out(heard: Heard) -> tuple[str, str] | None:
    """Return where answers hand out numbers, and where most other frames have them; None if they do not."""
    theirs = [tree for frame, tree in heard.frames if not frame.is_ours and tree is not MISSING]
    answers = [tree for tree in theirs if type(tree) is dict and _subscribes(tree)]
    others = [tree for tree in theirs if tree not in answers[:_MOST_FRAMES]][:_MOST_FRAMES]
    asked = [value for frame, tree in heard.frames if frame.is_ours for _, value in _numbers(tree)]
    places: Counter[tuple[str, str]] = Counter()
    for told in dict.fromkeys(path for tree in answers for path, _ in _numbers(tree)):
        given = {getter(told)(tree) for tree in answers if type(getter(told)(tree)) is int}
        given -= set(asked)
        for tree in others:
            places.update((told, path) for path, value in _numbers(tree) if value in given)
    most = places.most_common(1)
    return most[0][0] if most and 2 * most[0][1] > len(others) else None


def _other_requests(heard: Heard) -> Iterator[Any]:
    """Yield requests for channels that say something which neither the first of them nor an update says.

    What the target hardly says itself may be a symbol that there is not.
    """
    asked = [tree for frame, tree in heard.frames if frame.is_ours and tree is not MISSING]
    asked = [tree for tree in asked if _subscribes(tree)]
    if heard.following.key is None or not asked:
        return
    paths = heard.following.parts
    known = set(texts(asked[0]).values())
    known.update(getter(path)(heard.frames[n][1]) for n in heard.updates for path in paths)
    theirs = [tree for frame, tree in heard.frames if not frame.is_ours and tree is not MISSING]
    times = Counter(value for tree in theirs[:_MOST_FRAMES] for value in texts(tree).values())
    for tree in asked[1:]:
        said = set(texts(tree).values()) - known
        if any(times[value] > _OFTEN for value in said):
            yield tree


def _subscribes(tree: Any) -> bool:
    words = [str(value).lower() for _, value in leaves(tree)]
    return any("subscri" in word and "unsub" not in word for word in words)


def _numbers(tree: Any) -> Iterator[tuple[str, int]]:
    for path, value in leaves(tree):
        is_id = path.rpartition(".")[2].lower() in ID_NAMES
        if type(value) is int and value >= _LEAST_NUMBER and not is_id:
            yield path, value


def _doubt(draft: Draft, section: str, what: str) -> None:
    known = draft.doubts.get(section)
    draft.doubts[section] = what if known is None else f"{what}; {known}"
