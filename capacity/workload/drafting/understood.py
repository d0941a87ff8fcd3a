"""What a dialect made of a frame, in words, and by which class what is wrong is counted."""

from collections.abc import Sequence

from capacity.domain import units
from capacity.workload.reception import Kind, Reception

_NO_RULE = "no rule for"
_FAR_S = 86_400.0


def class_of(reception: Reception) -> tuple[str, str]:
    """Return what kind of problem a frame has, and what is told of this one."""
    problem = reception.problem or ""
    if reception.kind is Kind.UNMATCHED:
        name, _, first = problem.partition(": ")
        return ("no rule fits" if name == _NO_RULE else name), first
    if reception.kind is Kind.REJECTED:
        return f"refused {problem.partition(': ')[0]}", problem
    return "checksum" if problem.startswith("checksum: ") else "sequence", problem


def verdict(receptions: Sequence[Reception], at_s: float | None) -> str:
    """Return what was made of one frame that came at *at_s*, in words."""
    if not receptions:
        return "nothing in it"
    if len(receptions) > 1:
        firsts = dict.fromkeys(_one(each, at_s).partition(",")[0] for each in receptions)
        return f"{len(receptions)} messages: {'; '.join(firsts)}"
    return _one(receptions[0], at_s)


def _one(reception: Reception, at_s: float | None) -> str:
    kind = reception.kind
    if kind is Kind.DATA:
        return _update(reception, at_s)
    if kind is Kind.ACK:
        return "confirmation" + (", answered" if reception.replies else "")
    if kind is Kind.REJECTED:
        return f"REFUSAL: {reception.problem}"
    if kind is Kind.HEARTBEAT:
        return "heartbeat" + (", answered" if reception.replies else "")
    if kind is Kind.IGNORED:
        return "ignored"
    return f"NOT UNDERSTOOD: {class_of(reception)[0]}"


def _update(reception: Reception, at_s: float | None) -> str:
    words = [f"update of {reception.channel}" if reception.channel else "update"]
    if reception.updates != 1:
        words.append(f"{reception.updates} in it")
    if reception.published_at_s is not None and at_s is not None:
        age_s = at_s - reception.published_at_s
        far = abs(age_s) > _FAR_S
        ago = f"{units.count(abs(age_s))} s" if far else units.duration(abs(age_s))
        words.append(f"published {ago} {'before' if age_s >= 0 else 'AFTER'} it came")
    if reception.missed:
        words.append(f"{units.counted(reception.missed, 'update')} MISSING before it")
    if reception.problem is not None:
        words.append(reception.problem)
    return ", ".join(words)
