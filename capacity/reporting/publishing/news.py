"""A finished run in a few lines: for chats, mails and whatever listens to webhooks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.words import printable
from capacity.reporting.verdict import verdict

_MOST_LINES = 12
REPORT, REGRESSION, FAILURE = "capacity.report", "capacity.regression", "capacity.failure"
"""Types of events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What came of *run*, with the worst first."""

    kind: str
    run: str
    target: str
    at: float
    """Epoch seconds."""
    headline: str
    lines: tuple[str, ...]
    figures: Mapping[str, Any]


def news_of(
    run: str,
    target: str,
    at: float,
    answer: CapacityPlan | Excuse | None,
    *,
    notices: Sequence[str] = (),
    failures: Sequence[str] = (),
    is_regression: bool = False,
) -> News:
    """Return the news of a run; *answer* is None where the run failed before there was one."""
    said = None if answer is None else verdict(answer)
    headline = "The run failed" if said is None else said.headline
    facts = [] if said is None else [f"{fact.label}: {fact.text}" for fact in said.facts]
    kind = REGRESSION if is_regression else REPORT
    if not isinstance(answer, CapacityPlan):
        kind = FAILURE
    return News(
        kind=kind,
        run=run,
        target=target,
        at=at,
        headline=printable(headline),
        lines=tuple(printable(each) for each in (*notices, *failures, *facts))[:_MOST_LINES],
        figures=_figures(answer) if isinstance(answer, CapacityPlan) else {},
    )


def text(news: News) -> str:
    """Return the news as plain text, the first line alone saying what matters."""
    return "\n".join([f"{news.target}: {news.headline}", *news.lines, f"Run {news.run}"])


def event(news: News) -> tuple[dict[str, str], bytes]:
    """Return headers and body of a CloudEvent 1.0 in HTTP's binary mode.

    Its data has `text` at the top, which Slack and its like show; &, < and > are escaped as they ask.
    """
    headers = {
        "Content-Type": "application/json",
        "ce-specversion": "1.0",
        "ce-id": _header(f"{news.run}.{news.kind}"),
        "ce-type": news.kind,
        "ce-source": _header(f"/capacity/{quote(news.target)}"),
        "ce-subject": _header(news.run),
        "ce-time": datetime.fromtimestamp(news.at, UTC).isoformat(timespec="seconds"),
    }
    shown = text(news).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    document = {"text": shown, **asdict(news)}
    return headers, json.dumps(document, allow_nan=False, ensure_ascii=False).encode()


def _header(text: str) -> str:
    """Return the text as the HTTP binding wants it in a header: space, quote, % and beyond ASCII as %xx."""
    return quote(text, safe="!#$&'()*+,/:;<=>?@[\\]^`{|}~")


def _figures(plan: CapacityPlan) -> dict[str, Any]:
    ends = {"low": plan.capacity.low, "mid": plan.capacity.mid, "high": plan.capacity.high}
    return {
        **{f"capacity_{name}_connections": _finite(value) for name, value in ends.items()},
        "safe_capacity_connections": plan.safe_capacity,
        "tested_connections": plan.highest_connections,
        "bottleneck": plan.binding.value,
        "caveats": len(plan.doubts),
    }


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
