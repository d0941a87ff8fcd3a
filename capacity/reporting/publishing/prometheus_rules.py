"""
Alerts from a plan: connections near the safe capacity, limits below those planned with, an old plan.

With them comes a test for `promtool test rules`, which shows that each fires where it has to.
"""

from typing import Any

import yaml

from capacity.domain.resource_facts import LATENCIES
from capacity.domain.words import RESOURCES
from capacity.monitor.serving.exposition import metric_name
from capacity.reporting.publishing.publication import Publication

RULES_NAME = "prometheus-rules.yaml"
OLD_AFTER_S = 8 * 86_400
_NEAR_RATIO = 0.8
_LOWER_RATIO = 0.999
"""Values pass through texts, and memory differs by pages."""
_MOST_LIMITS = 5


def render(about: Publication) -> str:
    """Return the rule file."""
    group = {"name": f"capacity-{about.workload}", "rules": [*_recording(about), *_alerts(about)]}
    return yaml.safe_dump({"groups": [group]}, sort_keys=False, allow_unicode=True, width=100)


def render_test(about: Publication) -> str:
    """Return a test of the rule file, beside it."""
    safe = about.plan.safe_capacity
    labels = f'{about.metric}{{instance="a"{_comma(about.selector)}}}'
    near, above = round(safe * (_NEAR_RATIO + 0.05)), safe + 1
    tests = [
        _test(labels, near, [("ConnectionsNearSafeCapacity", "warning")], about),
        _test(
            labels,
            above,
            [
                ("ConnectionsNearSafeCapacity", "warning"),
                ("ConnectionsAboveSafeCapacity", "critical"),
            ],
            about,
        ),
        _test(labels, round(safe * (_NEAR_RATIO - 0.05)), [], about),
    ]
    document = {"rule_files": [RULES_NAME], "evaluation_interval": "1m", "tests": tests}
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def _test(
    labels: str, connections: int, fires: list[tuple[str, str]], about: Publication
) -> dict[str, Any]:
    fired = dict(fires)
    return {
        "interval": "1m",
        "input_series": [{"series": labels, "values": f"{connections}+0x30"}],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)',
                "eval_time": "20m",
                "exp_samples": [{"labels": "{}", "value": int(alert in fired)}],
            }
            for alert in ("ConnectionsNearSafeCapacity", "ConnectionsAboveSafeCapacity")
        ]
        + [
            {
                "expr": f'capacity:headroom:ratio{{target="{about.target}"}}',
                "eval_time": "20m",
                "exp_samples": [
                    {
                        "labels": (
                            f'capacity:headroom:ratio{{instance="a",target="{about.target}"}}'
                        ),
                        "value": 1.0 - connections / about.plan.safe_capacity,
                    }
                ],
            }
        ],
    }


def _recording(about: Publication) -> list[dict[str, Any]]:
    return [
        {
            "record": "capacity:headroom:ratio",
            "expr": f"1 - max by (instance) ({about.series}) / {about.plan.safe_capacity}",
            "labels": {"target": about.target},
        }
    ]


def _alerts(about: Publication) -> list[dict[str, Any]]:
    safe, plan = about.plan.safe_capacity, about.plan
    connections = f"max by (instance) ({about.series})"
    found = [
        _alert(
            "ConnectionsNearSafeCapacity",
            f"{connections} > {_NEAR_RATIO} * {safe}",
            "10m",
            "warning",
            f"{{{{ $labels.instance }}}} holds {{{{ $value }}}} connections, over"
            f" {_NEAR_RATIO:.0%} of the safe capacity {safe}",
            about=about,
        ),
        _alert(
            "ConnectionsAboveSafeCapacity",
            f"{connections} > {safe}",
            "2m",
            "critical",
            f"{{{{ $labels.instance }}}} holds {{{{ $value }}}} connections, more than the safe"
            f" capacity {safe}; the bottleneck is {RESOURCES[plan.binding]}",
            about=about,
        ),
    ]
    for wall in plan.ladder[:_MOST_LIMITS]:
        if wall.resource in LATENCIES or wall.limit.scope in {"met", "declared"}:
            continue
        if wall.limit.value is None:
            continue
        matchers = f"{{{about.selector}}}" if about.selector else ""
        name = metric_name(wall.resource, "_limit")
        alert = _alert(
            "LimitBelowCapacityPlan",
            f"{name}{matchers} < {wall.limit.value * _LOWER_RATIO!r}",
            "5m",
            "warning",
            f"the limit of {RESOURCES[wall.resource]} is {{{{ $value }}}}, the capacity was"
            f" planned with {wall.limit.value:g}: measure again",
            about=about,
        )
        alert["labels"]["resource"] = wall.resource.value
        found.append(alert)
    found.append(
        _alert(
            "CapacityPlanOld",
            "time() - capacity_plan_measured_timestamp_seconds"
            f"{{target={_quoted(about.target)}}} > {OLD_AFTER_S}",
            "1h",
            "warning",
            f"no capacity was measured for {OLD_AFTER_S // 86_400} days: did a scheduled run fail?",
            about=about,
        )
    )
    return found


def _alert(
    name: str, expression: str, lasting: str, severity: str, summary: str, *, about: Publication
) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expression,
        "for": lasting,
        "labels": {"severity": severity, "target": about.target},
        "annotations": {"summary": summary, "description": _plain(about.measured)},
    }


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _plain(text: str) -> str:
    """Return *text* so that Prometheus finds no template in it."""
    return text.replace("{{", "{ {")


def _comma(selector: str) -> str:
    return f",{selector}" if selector else ""
