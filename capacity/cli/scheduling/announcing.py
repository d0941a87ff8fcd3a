"""Publishes what came of a scheduled run: to directories a plan, to people whatever it was."""

import os
from collections.abc import Sequence
from pathlib import Path

from capacity.cli.publishing.published import as_shipped, publishable, write_all
from capacity.cli.publishing.receivers import is_address, sender_to, tell
from capacity.domain.errors import CapacityError, RegressionError, RunInvalidError
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.recording import run_directory
from capacity.recording.history_row import HistoryRow
from capacity.reporting.formats import html
from capacity.reporting.publishing.news import news_of
from capacity.reporting.publishing.publication import Publication


def check(wanted: Sequence[str]) -> None:
    """Raise ConfigError on an address that nothing could be sent to, before any load."""
    for address in wanted:
        if is_address(address):
            sender_to(address, os.environ)


def announce(
    wanted: Sequence[str],
    run: Path,
    row: HistoryRow,
    *,
    answer: CapacityPlan | Excuse | None,
    notices: tuple[str, ...],
    failures: Sequence[CapacityError],
) -> list[CapacityError]:
    """Publish *run* to directories and addresses; return what did not work."""
    page: str | None = None
    problems: list[CapacityError] = []
    if isinstance(answer, CapacityPlan):
        record = run_directory.load(run)
        page = html.render(record, answer, notices)
        try:
            plan = publishable(answer, run)
        except RunInvalidError as error:
            problems.append(error)
        else:
            problems += _written(wanted, as_shipped(record, plan), notices)
    news = news_of(
        row.run,
        row.target,
        row.finished_at,
        answer,
        notices=notices,
        failures=[str(each) for each in failures if not isinstance(each, RegressionError)],
        is_regression=any(isinstance(each, RegressionError) for each in failures),
    )
    return [*problems, *tell([each for each in wanted if is_address(each)], news, page)]


def _written(
    wanted: Sequence[str], about: Publication, notices: tuple[str, ...]
) -> list[CapacityError]:
    problems: list[CapacityError] = []
    for folder in wanted:
        if not is_address(folder):
            try:
                write_all(Path(folder), about, notices, {})
            except CapacityError as error:
                problems.append(error)
    return problems
