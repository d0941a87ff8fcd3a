"""Writes one run while it happens: events, steps, load, and the agent's samples as they come."""

import logging
import re
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gevent

from capacity import __version__
from capacity.domain.answers.storm_drill import StormDrill
from capacity.domain.errors import UnreachableError
from capacity.domain.histogram import Histogram
from capacity.domain.observation import StepObservation
from capacity.domain.resources import Limit
from capacity.domain.run import (
    LIMIT_CHANGED,
    LIMITS_UNREAD,
    LoadPoint,
    RunEvent,
    RunManifest,
    RunRecord,
)
from capacity.domain.sample import Sample
from capacity.loadgen.checks.preflight import Preflight, generator_facts
from capacity.loadgen.master.steps.repeated_steps import different, forget_samples, outdated
from capacity.recording.run_directory import FORMAT_VERSION, RunWriter
from capacity.settings.profile import BreakProfile, Profile, SafeProfile
from capacity.settings.target import Target

logger = logging.getLogger(__name__)

FETCH_INTERVAL_S = 1.0
LEAST_CHANGE_RATIO = 0.01
"""Of a limit's value; some are what is left of one, and move by a port or two."""
CATCH_UP_S = 3.0
"""Beyond the delay that a source is known to have."""
MOST_UNMATCHED = 10
_RETRY_AFTER = re.compile(r"Retry-After: [^,]*, ")
MOST_POINTS = 1200
"""Twenty minutes of seconds; of more, every second one is let go for the page that draws them, and so on."""


class Recorder:
    """One run directory, and the greenlet that brings the agent's samples into it."""

    def __init__(
        self, run: Path, target: Target, profile: Profile, preflight: Preflight, workers: int
    ) -> None:
        """Begin the record. Raises ConfigError when a run is there already."""
        self._preflight = preflight
        # A search decides from all that it has seen, and ends by itself.
        self._keeps_all = isinstance(profile, SafeProfile | BreakProfile)
        self.path = run
        self.samples: list[Sample] = []
        self.points: list[LoadPoint] = []
        self._points_seen, self._every = 0, 1
        self.events: list[RunEvent] = []
        self._ahead_s = time.time() - time.monotonic()
        self.started_at = self._limits_read_at = self.now()
        self._last_seq = self._newest_seq()
        self._agent_lost = False
        self._unmatched: set[str] = set()
        self._said: set[str] = set()
        self._target_started_at = preflight.info.target_started_at if preflight.info else None
        self._steps: list[StepObservation] = []
        self._changes: list[RunEvent] = []
        """Events that a plan on the way has to know."""
        self._limits = {
            limit.place: limit for limit in (preflight.info.limits if preflight.info else ())
        }
        self._histograms: dict[tuple[int, str], Histogram] = {}
        self._manifest = RunManifest(
            format_version=FORMAT_VERSION,
            product_version=__version__,
            run=run.name,
            started_at=self.started_at,
            target=target.spec(),
            profile=profile.model_dump(mode="json"),
            steps=preflight.steps,
            audited_bound=preflight.audited_bound,
            audited_by=preflight.audited_by,
            agent=preflight.info,
            clock_offset=preflight.clock_offset,
            generator={**generator_facts(workers), "hosts": preflight.hosts},
            same_host=preflight.same_host,
        )
        self._writer = RunWriter(run, self._manifest)
        self.fetching = gevent.spawn(self._fetch_forever) if preflight.agent else None

    def now(self) -> float:
        """Return epoch seconds by the clock as it was when the run began: as the agent's, it is not set."""
        return time.monotonic() + self._ahead_s

    def event(self, kind: str, /, **detail: Any) -> None:
        self.events.append(RunEvent(at=self.now(), kind=kind, detail=detail))
        self._writer.append_event(self.events[-1])

    def unmatched(self, problems: Iterable[str]) -> None:
        """Keep a few examples of frames that the dialect has no rule for, none twice."""
        for problem in problems:
            if len(self._unmatched) < MOST_UNMATCHED and problem not in self._unmatched:
                self._unmatched.add(problem)
                self.event("unmatched_frame", reason=problem)

    def said(self, texts: Iterable[str]) -> None:
        """Keep what the target said when it refused or ended connections, none twice but for its Retry-After."""
        for text in texts:
            told = _RETRY_AFTER.sub("", text)
            if len(self._said) < MOST_UNMATCHED and told not in self._said:
                self._said.add(told)
                self.event("target_said", text=text)

    def point(self, point: LoadPoint) -> None:
        self._keep(point)
        self._writer.append_point(point)

    def _keep(self, point: LoadPoint) -> None:
        """Keep one of each `_every` points for who draws them, and the newest one behind them."""
        if (self._points_seen - 1) % self._every:
            self.points.pop()
        self.points.append(point)
        self._points_seen += 1
        if len(self.points) > MOST_POINTS:
            del self.points[1::2]
            self._every *= 2

    def storm(self, drill: StormDrill) -> None:
        self._writer.append_storm(drill)

    def step(self, observation: StepObservation, histograms: dict[str, Histogram]) -> None:
        self._writer.append_step(observation)
        self._steps.append(observation)
        for series, histogram in histograms.items():
            self._writer.append_histogram(observation.index, series, histogram)
            self._histograms[observation.index, series] = histogram
        if not self._keeps_all and (gone := outdated(self._steps)):
            self._forget(gone)

    def _forget(self, gone: set[int]) -> None:
        offset = self._preflight.clock_offset
        forget_samples(self.samples, self._steps, gone, 0.0 if offset is None else offset.offset_s)
        self._steps = [step for step in self._steps if step.index not in gone]
        self._histograms = {key: h for key, h in self._histograms.items() if key[0] not in gone}

    def record(self) -> RunRecord:
        """Return what is recorded so far, for a plan on the way."""
        return RunRecord(
            manifest=self._manifest,
            steps=tuple(self._steps),
            samples=different(self.samples),
            histograms=dict(self._histograms),
            events=tuple(self._changes),
            missing=(),
        )

    def catch_up(self, at: float) -> None:
        """Wait until the agent's samples reach that moment of our clock, but not for long."""
        agent = self._preflight.agent
        if agent is None:
            return
        offset = self._preflight.clock_offset
        due_at = at + (offset.offset_s if offset is not None else 0.0)
        deadline_s = time.monotonic() + agent.delay_s + CATCH_UP_S
        while time.monotonic() < deadline_s:
            if self.samples and self.samples[-1].at >= due_at:
                break
            gevent.sleep(FETCH_INTERVAL_S / 5)
        self._note_changed_limits()

    def _note_changed_limits(self) -> bool:
        """Record limits that are others than when the run began, or than they were last.

        Return whether they could be read.
        """
        agent = self._preflight.agent
        assert agent is not None
        try:
            limits = agent.info().limits
        except UnreachableError:
            return False  # That it was lost is an event already.
        self._limits_read_at = self.now()
        for limit in limits:
            place = limit.place
            if place not in self._limits:
                self._limits[place] = limit
            elif _is_another(limit, self._limits[place]):
                detail = {"limit": asdict(limit), "before": asdict(self._limits[place])}
                self._changes.append(RunEvent(at=self.now(), kind=LIMIT_CHANGED, detail=detail))
                self._writer.append_event(self._changes[-1])
                self._limits[place] = limit
        return True

    def close(self, kind: str, detail: dict[str, Any]) -> None:
        """Fetch what the agent still has of the run, then write the end."""
        try:
            if self.fetching is not None:
                self.fetching.kill(block=False)
                assert self._preflight.agent is not None
                gevent.sleep(self._preflight.agent.delay_s)  # The sample of the last second.
                self._fetch()
                # Where it was lost, each would wait for it once more.
                if not self._agent_lost and self._note_changed_limits():
                    self._note_what_came_up()
                else:
                    self.event(LIMITS_UNREAD, since_s=self.now() - self._limits_read_at)
                self._preflight.agent.close()
        finally:
            self.event(kind, **detail)

    def _note_what_came_up(self) -> None:
        """Record what the agent says of itself now and did not say when the run began."""
        assert self._preflight.agent is not None
        assert self._preflight.info is not None
        try:
            notes = self._preflight.agent.info().notes
        except UnreachableError:
            return  # That it was lost is an event already.
        for note in notes:
            if note not in self._preflight.info.notes:
                self.event("agent_note", note=note)

    def _newest_seq(self) -> int:
        if self._preflight.agent is None:
            return 0
        samples = self._preflight.agent.samples(0)
        return samples[-1].seq if samples else 0

    def _fetch_forever(self) -> None:
        while True:
            gevent.sleep(FETCH_INTERVAL_S)
            self._fetch()

    def _fetch(self) -> None:
        assert self._preflight.agent is not None
        try:
            samples = self._preflight.agent.samples(self._last_seq)
        except UnreachableError as error:
            if not self._agent_lost:
                self._agent_lost = True
                logger.warning("%s", error)
                self.event("agent_lost", reason=str(error))
            return
        if self._agent_lost:
            self._agent_lost = False
            self.event("agent_back", samples=len(samples))
        if not samples:
            return
        self._writer.append_samples(samples)
        self.samples += samples
        self._last_seq = samples[-1].seq
        self._watch_target(samples)

    def _watch_target(self, samples: list[Sample]) -> None:
        for sample in samples:
            if sample.target_started_at == self._target_started_at:
                continue
            kind = "target_gone" if sample.target_started_at is None else "target_restarted"
            self.event(kind, sample_at=sample.at)
            self._target_started_at = sample.target_started_at


def _is_another(limit: Limit, before: Limit) -> bool:
    if limit.state is not before.state:
        return True
    if limit.value is None or before.value is None:
        return False
    return abs(limit.value - before.value) > LEAST_CHANGE_RATIO * abs(before.value)
