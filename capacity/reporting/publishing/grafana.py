"""A Grafana dashboard: connections against the capacity, headroom, ceilings and costs."""

import hashlib
import json
from typing import Any

from capacity.reporting.publishing.publication import Publication

SCHEMA_VERSION = 39
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_HEIGHT = 8
_CHOICE = {
    "name": "datasource",
    "label": "Data source",
    "type": "datasource",
    "query": "prometheus",
    "current": {},
    "hide": 0,
}
"""The variable by which a data source is chosen."""


def render(about: Publication) -> str:
    """Return the dashboard as one JSON document; its data source is chosen in Grafana."""
    dashboard = {
        "uid": hashlib.sha256(f"capacity {about.target}".encode()).hexdigest()[:16],
        "title": f"Capacity of {about.target}",
        "tags": ["capacity"],
        "timezone": "utc",
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "time": {"from": "now-7d", "to": "now"},
        "refresh": "1m",
        "templating": {"list": [_CHOICE]},
        "annotations": {"list": []},
        "panels": [{"id": number, **panel} for number, panel in enumerate(_panels(about), start=1)],
    }
    return json.dumps(dashboard, indent=2) + "\n"


def _panels(about: Publication) -> list[dict[str, Any]]:
    plan = f"{{target={json.dumps(about.target)}}}"
    return [*_use(about.series, plan), *_costs(plan)]


def _use(series: str, plan: str) -> list[dict[str, Any]]:
    return [
        _panel(
            "Open connections of each instance",
            "timeseries",
            [
                (f"max by (instance) ({series})", "{{instance}}"),
                (f"capacity_plan_safe_connections{plan}", "safe capacity"),
                (f"capacity_plan_target_connections{plan}", "target for each instance"),
            ],
            "none",
            (0, 0, 16),
        ),
        _panel(
            "Safe capacity",
            "stat",
            [(f"capacity_plan_safe_connections{plan}", "connections an instance")],
            "none",
            (16, 0, 8),
        ),
        _panel(
            "Headroom",
            "timeseries",
            [(f"capacity:headroom:ratio{plan}", "{{instance}}")],
            "percentunit",
            (0, 8, 12),
        ),
    ]


def _costs(plan: str) -> list[dict[str, Any]]:
    return [
        _panel(
            "Ceilings: connections at which each resource meets its limit",
            "bargauge",
            [(f"sort(capacity_plan_ceiling_connections{plan})", "{{resource}}")],
            "none",
            (12, 8, 12),
        ),
        _panel(
            "Memory of one more connection",
            "timeseries",
            [(f"capacity_plan_connection_cost_bytes{plan}", "{{resource}}")],
            "bytes",
            (0, 16, 12),
        ),
        _panel(
            "CPU of one more connection",
            "timeseries",
            [(f"capacity_plan_connection_cost_cores{plan}", "{{resource}}")],
            "none",
            (12, 16, 12),
        ),
        _panel(
            "Age of the measurement",
            "stat",
            [(f"time() - capacity_plan_measured_timestamp_seconds{plan}", "age")],
            "s",
            (0, 24, 12),
        ),
        _panel(
            "Caveats of the plan", "stat", [(f"capacity_plan_caveats{plan}", "caveats")], "none",
            (12, 24, 12),
        ),
    ]  # fmt: skip


def _panel(
    title: str,
    kind: str,
    queries: list[tuple[str, str]],
    unit: str,
    place: tuple[int, int, int],
) -> dict[str, Any]:
    x, y, width = place
    return {
        "title": title,
        "type": kind,
        "datasource": _SOURCE,
        "gridPos": {"x": x, "y": y, "w": width, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "options": {},
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": _SOURCE, "expr": query,
             "legendFormat": legend}
            for index, (query, legend) in enumerate(queries)
        ],
    }  # fmt: skip
