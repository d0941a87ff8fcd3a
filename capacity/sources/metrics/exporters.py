"""Scrapes exporters directly, a sample when one is asked for and due: no agent, no Prometheus.

The samples are on our clock, in the middle of the scrape: pages seldom say when they were read.
"""

import time
from collections import deque
from dataclasses import replace

from capacity.domain import units
from capacity.domain.errors import UnreachableError
from capacity.domain.run import ClockOffset
from capacity.domain.sample import AgentInfo, PortHolder, Sample
from capacity.settings.agent import Exporters
from capacity.sources.metrics.exporter_samples import (
    NODE_NAMES,
    PROCESS_NAMES,
    Subjects,
    info_of,
    sample_of,
    subjects,
)
from capacity.sources.metrics.exposition import page_of
from capacity.sources.metrics.series import Rates, Series
from capacity.sources.same_host import boot_id_of
from capacity.sources.web import Web

_KEEP = 3600
_EARLY_RATIO = 0.1
"""So much of an interval before its end, the next sample is due: who asks is never in time."""
_STALE_INTERVALS = 3
_LEAST_STALE_S = 5.0
_WANTED = frozenset((*PROCESS_NAMES, *NODE_NAMES))
_BUILD_INFO = "_exporter_build_info"
_OWN = ("process_",)
"""What an exporter publishes of itself and not of the target."""
_ACCEPT = "text/plain;version=0.0.4"


class ExporterScraper:
    """The pages of one target and its host."""

    delay_s = 1.0

    def __init__(self, settings: Exporters) -> None:
        self._settings = settings
        self.name = f"the exporter at {settings.urls[0]}"
        self._pages = [_Page(url, settings.ca_file) for url in settings.urls]
        self._who: Subjects | None = None
        self._rates = Rates()
        self._samples: deque[Sample] = deque(maxlen=_KEEP)
        self._last_s: float | None = None
        self._round_trip_s = 0.0

    def info(self) -> AgentInfo:
        """Return what the pages say of the target. Raises ConfigError and UnreachableError."""
        series, at = self._scrape()
        info = info_of(self._found(series), series, now=at, boot_id=boot_id_of(series, self._urls))
        return replace(info, notes=(*info.notes, *(page.note for page in self._pages if page.note)))

    def clock_offset(self) -> ClockOffset:
        self._scrape()
        return ClockOffset(offset_s=0.0, error_s=self._round_trip_s / 2)

    def samples(self, since: int) -> list[Sample]:
        """Return the samples after *since*; scrape one more when it is due."""
        interval_s = self._settings.interval_s
        now_s = time.monotonic()
        waited_s = interval_s if self._last_s is None else now_s - self._last_s
        if waited_s >= interval_s * (1 - _EARLY_RATIO):
            series, at = self._scrape()
            who = self._found(series)
            self._last_s = now_s
            self._samples.append(
                sample_of(
                    who,
                    series,
                    self._rates,
                    seq=self._samples[-1].seq + 1 if self._samples else 1,
                    at=at,
                    interval_s=waited_s,
                    oldest_at=at - max(_LEAST_STALE_S, _STALE_INTERVALS * interval_s),
                )
            )
        return [sample for sample in self._samples if sample.seq > since]

    def port_holders(self, port: int) -> tuple[PortHolder, ...] | None:  # noqa: ARG002 - nobody to ask
        return None

    def close(self) -> None:
        for page in self._pages:
            page.web.close()

    @property
    def _urls(self) -> tuple[str, ...]:
        return self._settings.urls

    def _scrape(self) -> tuple[list[Series], float]:
        asked_at, asked_s = time.time(), time.monotonic()
        pages = [page.series() for page in self._pages]
        self._round_trip_s = time.monotonic() - asked_s
        return [each for page in pages for each in page], asked_at + self._round_trip_s / 2

    def _found(self, series: list[Series]) -> Subjects:
        if self._who is None:
            self._who = subjects(
                series,
                self._settings,
                origin=f"agent.exporters ({', '.join(self._urls)})",
                section="agent.exporters",
            )
        return self._who


class _Page:
    def __init__(self, url: str, ca_file: str | None) -> None:
        self._name = f"the exporter at {url}"
        remedy = "start it, or correct agent.exporters.urls in the target file"
        self.web = Web(
            url,
            name=self._name,
            remedy=remedy,
            ca_file=ca_file,
            key="agent.exporters",
            accept=_ACCEPT,
        )
        self.note: str | None = None
        """What of the page was not understood when it was read last."""

    def series(self) -> list[Series]:
        """Return what the page publishes of others. Raises UnreachableError."""
        answer = self.web.fetch()
        if not answer.is_ok:
            raise UnreachableError(
                f"{self._name} answers {answer.status}; agent.exporters.urls are whole"
                " addresses of pages, mostly with /metrics at their end"
            )
        builds: list[str] = []

        def is_wanted(name: str) -> bool:
            if name.endswith(_BUILD_INFO):
                builds.append(name)
            return name in _WANTED

        try:
            page = page_of(answer.body.decode(), is_wanted, time.time())
        except ValueError as error:
            raise UnreachableError(
                f"{self._name} answers no page of metrics ({error}); agent.exporters.urls are whole"
                " addresses of pages, mostly with /metrics at their end"
            ) from None
        self.note = None
        if page.left_out:
            self.note = (
                f"{units.counted(page.left_out, 'line')} of {self._name} could not be read and concern"
                f" no metric that is used; the first is {page.first_left_out}"
            )
        return [each for each in page.series if not (builds and each.name.startswith(_OWN))]
