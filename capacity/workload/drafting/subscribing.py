"""What the client of a recording sent until it followed its channels, as sections of a dialect."""

from collections.abc import Mapping, Sequence
from typing import Any

from capacity.workload.dialects.matching import MISSING, getter
from capacity.workload.drafting.answers import answer_to
from capacity.workload.drafting.asking import (
    Ask,
    ask_by_parts,
    ask_for,
    id_path,
    with_id,
    without_secrets,
)
from capacity.workload.drafting.heard import Heard
from capacity.workload.drafting.leaves import telling
from capacity.workload.drafting.sections import Draft

_ERROR = {"where": {"error": {"exists": True}}, "message": "error"}
"""How refusals often look."""


def subscribing(
    heard: Heard,
    asks: Sequence[tuple[int, Any]],
    by_parts: Mapping[str, tuple[str, ...]],
    draft: Draft,
    channels: Mapping[str, dict[str, Any]],
) -> int | None:
    """Write how channels are asked for, and return the number of the first frame that does."""
    for n, tree in asks:
        if tree is MISSING:
            continue
        ask = ask_for(tree, list(by_parts))
        if ask is None:
            ask = _by_parts(tree, by_parts, draft, channels)
        if ask is None:
            continue
        section: dict[str, Any] = {"send": without_secrets(ask.send, draft.needs)}
        ack = answer_to(heard, n, tree, by_parts)
        if ack is not None:
            section["ack"] = {**ack, "error": ack.get("error", _ERROR)}
            if "error" not in ack:
                draft.doubts["subscribe"] = (
                    "no refusal was recorded, so that error is a guess: ask for a channel that there is"
                    " not, too, while you record"
                )
        else:
            section["confirm"] = "first_data"
            draft.doubts["subscribe"] = "no answer was found: the first update confirms"
        draft.sections["subscribe"] = section
        return n
    if asks and heard.following.is_proven is False:
        draft.doubts["subscribe"] = "no request names the channels that updates name: write it"
    return None


def _by_parts(
    tree: Any,
    by_parts: Mapping[str, tuple[str, ...]],
    draft: Draft,
    channels: Mapping[str, dict[str, Any]],
) -> Ask | None:
    found: Ask | None = None
    for name, parts in by_parts.items():
        symbol = next((each for each in draft.symbols if each in parts), None)
        ask = ask_by_parts(tree, parts, symbol)
        if ask is None:
            continue
        found = found or ask
        for channel in channels.values():
            if symbol and channel["wire"] == name.replace(symbol, "{symbol}"):
                channel.setdefault("request", ask.request)
    return found


def opening(heard: Heard, asks: Sequence[tuple[int, Any]], draft: Draft) -> None:
    """Write what is sent before the subscriptions, and what answers it."""
    steps: list[dict[str, Any]] = []
    others = [heard.frames[n][1] for n in sorted(heard.updates)]
    for place, (n, tree) in enumerate(asks):
        if tree is MISSING:
            steps.append({"send_text": heard.frames[n][0].payload.decode(errors="replace")})
            continue
        step: dict[str, Any] = {"send": without_secrets(with_id(tree), draft.needs)}
        until = asks[place + 1][0] if place + 1 < len(asks) else len(heard.frames)
        at = id_path(tree)
        for m, answer in heard.theirs():
            if not n < m < until:
                continue
            told = getter(at)(answer) if at is not None else MISSING
            if at is not None and told == getter(at)(tree):
                step["answer"] = {"where": {at: "{id:int}" if type(told) is int else "{id:str}"}}
            elif at is None and (where := telling([answer], others)) is not None:
                step["answer"] = {"where": where}
            if "answer" in step:
                break
        steps.append(step)
    if steps:
        draft.sections["opening"] = steps
        draft.doubts["opening"] = (
            "what was sent before the subscriptions; take out what is not needed"
        )
