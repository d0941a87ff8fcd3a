"""`capacity publish RUN --to DIR|URL`: a plan for the systems that act on it, and who is told."""

import json
import os
import re
from pathlib import Path

import click

from capacity.cli.check import RULES, checked
from capacity.cli.helping.completion import names
from capacity.cli.helping.named_options import whole_number
from capacity.cli.plan import demanded, located
from capacity.cli.publishing.published import HEADROOM_RATIO, publishable, tell_of, write_all
from capacity.cli.publishing.receivers import is_address, sender_to
from capacity.cli.report import notices_of
from capacity.domain.errors import ConfigError
from capacity.domain.words import printable
from capacity.notebook import plan as planned
from capacity.recording import run_directory
from capacity.reporting.formats import junit
from capacity.reporting.publishing.publication import CONNECTIONS_METRIC, Publication, dns_label

RULES_FILE = "rules.xml"
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_MATCHER = r"[a-zA-Z_][a-zA-Z0-9_]*\s*(?:=|!=|=~|!~)\s*\"[^\"\\\n{}]*\""
_SELECTOR = re.compile(rf"(?:{_MATCHER}(?:\s*,\s*{_MATCHER})*)?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@click.command()
@click.argument("run")
@click.option(
    "--to", required=True, multiple=True,
    help="Directory, or who is told: https://…, env:NAME (a webhook), mailto:….",
)  # fmt: skip
@click.option("--workload", help="Deployment to scale; else the target's name.")
@click.option(
    "--namespace",
    default="default",
    show_default=True,
    help="Kubernetes namespace of the autoscalers.",
)
@click.option(
    "--headroom",
    "headroom_percent",
    type=click.FloatRange(0, 99),
    help="Share of the safe capacity to keep free; else as --demand says, else 20.",
)
@click.option(
    "--demand",
    shell_complete=names("demand"),
    help="Demand whose headroom counts: config/demand/NAME.yaml, or a path.",
)
@click.option(
    "--metric",
    default=CONNECTIONS_METRIC,
    show_default=True,
    help="Prometheus metric of the open connections of one instance.",
)
@click.option("--selector", default="", help='Label matchers for it, such as job="feed".')
@click.option(
    "--prometheus-url",
    default="http://prometheus.monitoring.svc:9090",
    show_default=True,
    help="Where KEDA asks for the connections.",
)
@whole_number(
    "--min-pods",
    least=1,
    most=100_000,
    default=2,
    help_text="Fewest pods of the autoscalers.",
)
@whole_number(
    "--max-pods",
    least=1,
    most=100_000,
    default=20,
    help_text="Most pods of the autoscalers.",
)
@click.option(
    "--rules", "rules_file", type=click.Path(path_type=Path), default=RULES, show_default=True,
    help="Rules for JUnit XML; left out where there is no such file.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the paths as one JSON document.")
def command(
    run: str,
    *,
    to: tuple[str, ...],
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

    A directory keeps every report that is published to it, with an index page. Files are replaced
    whole. A webhook gets a CloudEvent with a text for chats, a mailbox the report. Whoever cannot be
    reached is tried for a minute; the exit code is then 6, and all files are written.
    """
    folders = [Path(each) for each in to if not is_address(each)]
    addresses = [each for each in to if is_address(each)]
    for each in addresses:
        sender_to(each, os.environ)
    _check("--metric", metric, _METRIC, "a Prometheus metric's name")
    _check("--selector", selector, _SELECTOR, 'label matchers such as job="feed"')
    _check("--namespace", namespace, _LABEL, "a DNS label")
    if min_pods > max_pods:
        raise ConfigError(f"--min-pods: must not exceed --max-pods, {max_pods} (got {min_pods})")
    path = located(run)
    record = run_directory.load(path)
    answer = publishable(planned(record), path)
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
    more = _rules(path, rules_file, demand)
    notices = notices_of(path)
    written = [name for folder in folders for name in write_all(folder, about, notices, more)]
    failures = tell_of(about, addresses, notices) if addresses else []
    if as_json:
        problems = [str(failure) for failure in failures]
        click.echo(json.dumps({"files": written, "problems": problems}, indent=2))
    else:
        click.echo("".join(f"{name}\n" for name in written), nl=False)
    for failure in failures[1:]:
        click.echo(f"capacity: {failure}", err=True)
    if failures:
        raise failures[0]


def _rules(run: Path, rules_file: Path, demand: str | None) -> dict[str, str]:
    """Return file name -> JUnit XML; nothing where there is no rules file and none was named."""
    if rules_file.is_file():
        return {RULES_FILE: junit.render(checked(str(run), rules_file, demand=demand), run.name)}
    if rules_file != RULES:
        raise ConfigError(f"{rules_file}: cannot be read: no such file")
    return {}


def _headroom_ratio(percent: float | None, demand: str | None) -> float:
    if percent is not None:
        return percent / 100.0
    wanted, _types = demanded(demand, None)
    return HEADROOM_RATIO if wanted is None else wanted.headroom_ratio


def _check(option: str, text: str, pattern: re.Pattern[str], wanted: str) -> None:
    if not pattern.fullmatch(text):
        raise ConfigError(f"{option}: must be {wanted} (got {printable(text, 80)!r})")
