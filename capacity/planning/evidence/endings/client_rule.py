"""
Whether what refused connections was the target's rule about one client, and no capacity of the target.

A generator is one client, by its address, its key or its account. A service that admits 50 connections from
one address answers the next with 429 (RFC 6585, section 4) and who goes on with 418 (Binance), or lets it in
and closes it with a reason; how many connections it holds from all clients together, no such run tells.
"""

import re
from collections.abc import Iterator, Sequence

from capacity.domain.observation import CutOffKind, StepObservation
from capacity.domain.run import RunRecord
from capacity.domain.words import printable
from capacity.planning.evidence.missing_evidence import Gap

TARGET_SAID = "target_said"
"""Event with the target's own words when it refused or ended connections."""
_TOO_MANY = ("_418", "_429")
_REFUSED = re.compile(r"^(handshake_rejected_|handshake_closed_)")
_ONE_CLIENT = re.compile(
    r"(?i)\b(per|from|by|for|of|this|your|same|one|each)[ _-]+(this |your |the |same |one |single |a )*"
    r"(client |source |remote |peer )?(ip|addresses|address|client|user|account|api[ _-]?key|key|token|host|tenant)\b"
    r"|\b(ip|client|user|account|key|token)[ _-](connection[ _-])?limit"
)
_REFUSALS = frozenset({CutOffKind.REFUSED, CutOffKind.NOT_REACHED, CutOffKind.LOST})
_BESIDE = re.compile(r"\b(Retry-After|Server): [^,]*, ")
"""Headers among the words, which tell nothing of the rule."""
_SHOWN_LETTERS = 160


def client_rule(record: RunRecord) -> Gap | None:
    """Return that a rule about one client ended the run, if it did; None as well where it came from many.

    With several source addresses it is not the rule about one of them that was met first.
    """
    if len(record.manifest.target.document.get("source_addresses") or ()) > 0:
        return None
    cut = next(_refused_steps(record), None)
    if cut is None or cut.cut_off is None:
        return None
    said = _said_about_one(record)
    is_rule = any(reason.endswith(_TOO_MANY) for reason in _most(cut)) or (
        said is not None and any(_REFUSED.match(reason) for reason in _most(cut))
    )
    if not is_rule:
        return None
    words = f' It said: "{said}".' if said is not None else ""
    return Gap(
        f"The target let in {cut.cut_off.connections} connections of this one client and refused more:"
        f" {cut.cut_off.statement}. That is its rule about one client, and no capacity of the target.{words}",
        "Set source_addresses in the target file, so that connections come from as many addresses as the rule"
        " asks for (or credentials each, with rows in values), or have the target exempt the generator, and"
        " measure again; where it counts connects over time, lower connects_per_s in the profile as well; where"
        " it is its limit on all clients together, declare limits.application_connections.",
    )


def _refused_steps(record: RunRecord) -> Iterator[StepObservation]:
    declared = {limit.resource for limit in record.manifest.target.limits}
    if "application_connections" in declared:
        return
    for step in record.steps:
        if step.void is None and step.cut_off is not None and step.cut_off.kind in _REFUSALS:
            yield step


def _most(step: StepObservation) -> Sequence[str]:
    """Return the reason by which most connections of a step failed."""
    return sorted(step.failures, key=lambda reason: -step.failures[reason])[:1]


def _said_about_one(record: RunRecord) -> str | None:
    """Return the target's words about one client, if it had any."""
    texts = (event.detail.get("text") for event in record.events if event.kind == TARGET_SAID)
    return next(
        (
            printable(_BESIDE.sub("", text), _SHOWN_LETTERS)
            for text in texts
            if isinstance(text, str) and _ONE_CLIENT.search(text)
        ),
        None,
    )
