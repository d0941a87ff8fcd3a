"""Which files a plan is published as."""

from collections.abc import Callable, Mapping

from capacity.reporting.publishing import (
    autoscaling,
    figures_csv,
    grafana,
    openslo,
    prometheus_rules,
    prometheus_text,
)
from capacity.reporting.publishing.publication import Publication

RENDERERS: Mapping[str, Callable[[Publication], str]] = {
    "capacity.prom": prometheus_text.render,
    prometheus_rules.RULES_NAME: prometheus_rules.render,
    "prometheus-rules-test.yaml": prometheus_rules.render_test,
    "grafana-dashboard.json": grafana.render,
    "hpa.yaml": autoscaling.horizontal_pod_autoscaler,
    "keda.yaml": autoscaling.scaled_object,
    "figures.csv": figures_csv.render,
    "openslo.yaml": openslo.render,
}


def rendered(about: Publication) -> dict[str, str]:
    """Return the content of every file by its name."""
    return {name: render(about) for name, render in RENDERERS.items()}
