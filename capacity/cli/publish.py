"""`capacity publish RUN --to DIR`: a plan for the systems that act on it."""

import json
import re
from pathlib import Path

import click

from capacity.cli.check import RULES, checked
from capacity.cli.plan import demanded, located, write_whole
from capacity.domain.errors import ConfigError, RunInvalidError
from capacity.domain.plan import Excuse
from capacity.domain.words import printable
from capacity.notebook import plan as planned
from capacity.recording import run_directory
from capacity.reporting.formats import junit
from capacity.reporting.publishing.publication import CONNECTIONS_METRIC, Publication, dns_label
from capacity.reporting.publishing.published_files import rendered

RULES_FILE = "rules.xml"
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_MATCHER = r"[a-zA-Z_][a-zA-Z0-9_]*\s*(?:=|!=|=~|!~)\s*\"[^\"\\\n{}]*\""
_SELECTOR = re.compile(rf"(?:{_MATCHER}(?:\s*,\s*{_MATCHER})*)?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@click.command()
@click.argument("run")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), help="Directory.")
@click.option("--workload", help="Deployment to scale; else the target's name.")
@click.option("--namespace", default="default", show_default=True)
@click.option(
    "--headroom",
    "headroom_percent",
    type=click.FloatRange(0, 99),
    help="Share of the safe capacity to keep free; else as --demand says, else 20.",
)
@click.option("--demand", help="Demand whose headroom counts: config/demand/NAME.yaml, or a path.")
@click.option(
    "--metric",
    default=CONNECTIONS_METRIC,
    show_default=True,
    help="Prometheus metric of the open connections of one instance.",
)
@click.option("--selector", default="", help='Label matchers for it, such as job="feed".')
@click.option(
    "--prometheus-url", default="http://prometheus.monitoring.svc:9090", show_default=True
)
@click.option("--min-pods", type=click.IntRange(1, 100_000), default=2, show_default=True)
@click.option("--max-pods", type=click.IntRange(1, 100_000), default=20, show_default=True)
@click.option(
    "--rules", "rules_file", type=click.Path(path_type=Path), default=RULES, show_default=True,
    help="Rules for JUnit XML; left out where there is no such file.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the paths as one JSON document.")
def command(
    run: str,
    *,
    folder: Path,
    workload: str | None,
    namespace: str,
    headroom_percent: float | None,
    demand: str | None,
    metric: str,
    selector: str,
    prometheus_url: str,
    min_pods: int,
    max_pods: int,
    rules_file: Path,
    as_json: bool,
) -> None:
    """Write RUN's plan as Prometheus metrics and alerts, dashboard, autoscalers, CSV and OpenSLO.

    Nothing is sent anywhere. Metrics are replaced whole, as node_exporter's textfile collector
    wants it.
    """
    _check("--metric", metric, _METRIC, "a Prometheus metric's name")
    _check("--selector", selector, _SELECTOR, 'label matchers such as job="feed"')
    _check("--namespace", namespace, _LABEL, "a DNS label")
    if min_pods > max_pods:
        raise ConfigError(f"--min-pods: must not exceed --max-pods, {max_pods} (got {min_pods})")
    path = located(run)
    record = run_directory.load(path)
    answer = planned(record)
    if isinstance(answer, Excuse):
        raise RunInvalidError(f"{path}: no plan to publish: {answer.reason}")
    if answer.is_beyond_reach:
        raise RunInvalidError(
            f"{path}: the capacity lies too far beyond the tested load to act on; measure closer to it"
        )
    if answer.safe_capacity < 1:
        raise RunInvalidError(f"{path}: the safe capacity is 0 connections: nothing to scale by")
    about = Publication(
        record=record,
        plan=answer,
        workload=workload or dns_label(record.manifest.target.name or ""),
        namespace=namespace,
        headroom_ratio=_headroom_ratio(headroom_percent, demand),
        metric=metric,
        selector=selector,
        prometheus_url=prometheus_url,
        least_instances=min_pods,
        most_instances=max_pods,
    )
    _check("--workload", about.workload, _LABEL, "a DNS label")
    files = rendered(about)
    if rules_file.is_file():
        results = checked(str(path), rules_file, demand=demand)
        files[RULES_FILE] = junit.render(results, answer.run)
    elif rules_file != RULES:
        raise ConfigError(f"{rules_file}: cannot be read: no such file")
    written = _written(folder, files)
    click.echo(json.dumps({"files": written}, indent=2) if as_json else "\n".join(written))


def _headroom_ratio(percent: float | None, demand: str | None) -> float:
    if percent is not None:
        return percent / 100.0
    wanted, _types = demanded(demand, None)
    return _HEADROOM_RATIO if wanted is None else wanted.headroom_ratio


_HEADROOM_RATIO = 0.2


def _written(folder: Path, files: dict[str, str]) -> list[str]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be created ({error.strerror})") from None
    for name, text in files.items():
        write_whole(folder / name, text)
    return [str(folder / name) for name in files]


def _check(option: str, text: str, pattern: re.Pattern[str], wanted: str) -> None:
    if not pattern.fullmatch(text):
        raise ConfigError(f"{option}: must be {wanted} (got {printable(text, 80)!r})")
