"""`capacity report RUN`: a plan as HTML, Markdown and JSON files in the run directory."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from capacity.cli.plan import PLAN_FILE, located, plan_run, write_whole
from capacity.domain.errors import ConfigError
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.recording import run_directory
from capacity.reporting.document import Section
from capacity.reporting.formats import html, json_document, markdown
from capacity.reporting.formats.page_sections import comparison_section

EXPORTERS = {"html": html.render, "md": markdown.render}
NOTICES_FILE = "notices.json"
"""What a scheduled run noticed beside those before it; absent where that was nothing."""
FORMATS = (*EXPORTERS, "json")


@click.command()
@click.argument("run")
@click.option(
    "--format",
    "formats",
    default=",".join(FORMATS),
    show_default=True,
    help="Formats to write, comma-separated.",
)
@click.option("--baseline", help="Run to compare with in the page: a directory or a name.")
@click.option("--json", "as_json", is_flag=True, help="Print the paths as one JSON document.")
def command(run: str, formats: str, baseline: str | None, *, as_json: bool) -> None:
    """Write the report of RUN, a directory or a name under reports/runs."""
    wanted = [name for part in formats.split(",") if (name := part.strip())]
    written = [str(path) for path in write_report(located(run), wanted, baseline)]
    click.echo(json.dumps({"files": written}, indent=2) if as_json else "\n".join(written))


def write_report(run: Path, formats: Sequence[str], baseline: str | None = None) -> list[Path]:
    """Write the report of *run* in each of *formats* and return the files, in their order.

    The plan is read from plan.json, or made when there is none. *baseline* names the run that the
    page compares with. Raises ConfigError on an unknown format, and RunInvalidError where the two
    cannot be compared, before anything is written.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        asked = ", ".join(unknown) or "none"
        raise ConfigError(f"--format: {asked}: choose from {', '.join(FORMATS)}")
    record = run_directory.load(run)
    plan = _plan(run)
    more = [] if baseline is None else [_compared(run, baseline)]
    written = []
    for name in dict.fromkeys(formats):
        path = run / PLAN_FILE if name == "json" else run / f"report.{name}"
        if name != "json":
            notices = notices_of(run)
            write_whole(
                path,
                html.render(record, plan, notices, more)
                if name == "html"
                else EXPORTERS[name](record, plan, notices),
            )
        written.append(path)
    return written


def _compared(run: Path, baseline: str) -> Section:
    # Half a second that only a comparison is worth.
    from capacity.cli.compare import measured_runs  # noqa: PLC0415
    from capacity.planning.comparison.comparison import compare  # noqa: PLC0415

    return comparison_section(compare(measured_runs(str(run)), measured_runs(baseline)))


def notices_of(run: Path) -> tuple[str, ...]:
    """Return what `capacity scheduled` noticed of *run*, in sentences."""
    path = run / NOTICES_FILE
    if not path.exists():
        return ()
    try:
        return tuple(str(each) for each in json.loads(path.read_text(encoding="utf-8"))["notices"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path}: not what `capacity scheduled` wrote ({error!r}); remove it"
        ) from None


def _plan(run: Path) -> CapacityPlan | Excuse:
    path = run / PLAN_FILE
    try:
        return json_document.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return plan_run(run)
    except OSError as error:
        raise ConfigError(f"{path}: cannot read it ({error.strerror})") from None
    except (UnicodeDecodeError, ConfigError) as error:
        raise ConfigError(f"{path}: {error}; `capacity plan {run}` makes it again") from None
