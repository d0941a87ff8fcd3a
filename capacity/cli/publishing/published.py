"""A plan published: its files and its report in a directory, its news to whoever is told."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from capacity.cli.plan import write_whole
from capacity.cli.publishing import kept_reports, receivers
from capacity.domain.errors import CapacityError, ConfigError, RunInvalidError
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.domain.run import RunRecord
from capacity.reporting.formats import html
from capacity.reporting.publishing.news import news_of
from capacity.reporting.publishing.publication import Publication, dns_label
from capacity.reporting.publishing.published_files import rendered

HEADROOM_RATIO = 0.2
"""Share of the safe capacity that is kept free where nobody says."""


def publishable(answer: CapacityPlan | Excuse, run: Path) -> CapacityPlan:
    """Return the plan. Raises RunInvalidError where nothing should act on it."""
    if isinstance(answer, Excuse):
        raise RunInvalidError(f"{run}: no plan to publish: {answer.reason}")
    if answer.is_beyond_reach:
        raise RunInvalidError(
            f"{run}: the capacity lies too far beyond the tested load to act on; measure closer to it"
        )
    if answer.safe_capacity < 1:
        raise RunInvalidError(f"{run}: the safe capacity is 0 connections: nothing to scale by")
    return answer


def as_shipped(record: RunRecord, plan: CapacityPlan) -> Publication:
    """Return what is published where no option says otherwise."""
    return Publication(
        record=record,
        plan=plan,
        workload=dns_label(record.manifest.target.name or ""),
        namespace="default",
        headroom_ratio=HEADROOM_RATIO,
    )


def write_all(
    folder: Path, about: Publication, notices: tuple[str, ...], more: Mapping[str, str]
) -> list[str]:
    """Write the files of *about*, and *more* (name -> text), and keep its report; return all paths."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError(
            f"--to {folder}: is a file; name a directory, which is made where there is none and gets"
            " the files and the reports"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = kept_reports.keep(folder, about.record, about.plan, notices)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written ({error.strerror})") from None
    files = {**rendered(about), **more}
    for name, text in files.items():
        write_whole(folder / name, text)
    return [*(str(folder / name) for name in files), *map(str, kept)]


def tell_of(
    about: Publication, addresses: Sequence[str], notices: tuple[str, ...]
) -> list[CapacityError]:
    """Tell *addresses* of the plan; return what did not work."""
    news = news_of(
        about.plan.run,
        about.target,
        about.record.manifest.started_at,
        about.plan,
        notices=notices,
        is_regression=any(each.startswith("Regression") for each in notices),
    )
    return receivers.tell(addresses, news, html.render(about.record, about.plan, notices))
