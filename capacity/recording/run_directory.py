"""A run on disk: append-only, and loadable whatever was killed while it was written.

    run.json           the manifest, written before the first connection, never again
    steps.jsonl        one StepObservation a line, appended when its plateau ends
    samples.jsonl      the agent's samples, as they came
    histograms.jsonl   {"step", "series", "counts"}: durations in microseconds
    storms.jsonl       one StormDrill a line, where the profile asks for drills
    load.jsonl         one LoadPoint a second
    events.jsonl       phases, lost workers, problems, the end
    ending.json        instead of all these: why the run could not begin (ending.py)

Derived files (plan.json, report.*) lie beside them and can be made again at any time.

Format history: 1 - first version.
"""

import json
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from capacity.domain.answers.storm_drill import StormDrill
from capacity.domain.errors import ConfigError
from capacity.domain.histogram import MAX_US, Histogram, bucket_of
from capacity.domain.observation import StepObservation
from capacity.domain.outside import strict_json
from capacity.domain.run import LoadPoint, RunEvent, RunManifest, RunRecord
from capacity.domain.sample import Sample
from capacity.domain.target import TargetSpec
from capacity.domain.words import printable

FORMAT_VERSION = 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _HistogramLine:
    step: Annotated[int, Field(ge=0)]
    series: str
    counts: dict[Annotated[int, Field(ge=0, le=bucket_of(MAX_US))], Annotated[int, Field(ge=0)]]
    """By bucket."""


_MANIFEST: TypeAdapter[RunManifest] = TypeAdapter(RunManifest)
_STEP: TypeAdapter[StepObservation] = TypeAdapter(StepObservation)
_SAMPLE: TypeAdapter[Sample] = TypeAdapter(Sample)
_POINT: TypeAdapter[LoadPoint] = TypeAdapter(LoadPoint)
_EVENT: TypeAdapter[RunEvent] = TypeAdapter(RunEvent)
_STORM: TypeAdapter[StormDrill] = TypeAdapter(StormDrill)
_HISTOGRAM: TypeAdapter[_HistogramLine] = TypeAdapter(_HistogramLine)


def _write_whole(file: Path, content: bytes) -> None:
    """Create *file* with all of its content or not at all. Raises FileExistsError and OSError."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(descriptor, "wb") as part:
            os.fchmod(descriptor, 0o644)
            part.write(content)
            part.flush()
            os.fsync(descriptor)
        file.hardlink_to(name)  # Unlike a rename, this never replaces a run that is there.
    finally:
        Path(name).unlink()


class RunWriter:
    """Appends to one run directory. Every call leaves the directory loadable."""

    def __init__(self, path: Path, manifest: RunManifest) -> None:
        """Create *path* and write the manifest. Raises ConfigError if a run is there already."""
        self.path = path
        content = _manifest_json(manifest)
        _require_readable(path, content)
        try:
            path.mkdir(parents=True, exist_ok=True)
            _write_whole(path / "run.json", content)
        except FileExistsError:
            raise ConfigError(
                f"{path}: there is a run already and runs are never overwritten; name another directory"
            ) from None
        except OSError as error:
            raise ConfigError(f"{path}: cannot write the run ({error.strerror})") from None

    def append_step(self, step: StepObservation) -> None:
        self._append("steps.jsonl", [_STEP.dump_json(step)])

    def append_samples(self, samples: Iterable[Sample]) -> None:
        self._append("samples.jsonl", [_SAMPLE.dump_json(sample) for sample in samples])

    def append_histogram(self, step: int, series: str, histogram: Histogram) -> None:
        line = {"step": step, "series": series, "counts": histogram.counts}
        self._append("histograms.jsonl", [json.dumps(line).encode()])

    def append_point(self, point: LoadPoint) -> None:
        self._append("load.jsonl", [_POINT.dump_json(point)])

    def append_storm(self, drill: StormDrill) -> None:
        self._append("storms.jsonl", [_STORM.dump_json(drill)])

    def append_event(self, event: RunEvent) -> None:
        self._append("events.jsonl", [_EVENT.dump_json(event)])

    def _append(self, name: str, lines: list[bytes]) -> None:
        # One write a call: a reader, or a crash, sees whole lines or a torn last one.
        with (self.path / name).open("ab") as file:
            file.write(b"".join(line + b"\n" for line in lines))


def is_run(path: Path) -> bool:
    return (path / "run.json").is_file()


def load(path: Path) -> RunRecord:
    """Return the run in *path*; what is torn or absent is named in its `missing`.

    Raises ConfigError when *path* is no run, one of a newer format, or one whose
    target states impossible limits or objectives.
    """
    missing: list[str] = []
    manifest = _manifest(path)
    steps = tuple(_lines(path / "steps.jsonl", _STEP, missing))
    samples = tuple(_lines(path / "samples.jsonl", _SAMPLE, missing))
    events = tuple(_lines(path / "events.jsonl", _EVENT, missing))
    histograms = {
        (line.step, line.series): Histogram(line.counts)
        for line in _lines(path / "histograms.jsonl", _HISTOGRAM, missing)
    }
    points = tuple(_lines(path / "load.jsonl", _POINT, missing))
    storms = tuple(_lines(path / "storms.jsonl", _STORM, missing))
    if not any(event.kind == "finished" for event in events):
        missing.append(_how_it_ended(events))
    lost = _lost_steps(steps, events)
    total = max(len(manifest.steps), len(steps) + lost)
    if len(steps) < total:
        missing.append(f"{total - len(steps)} of {total} steps")
    if manifest.agent is not None and not samples:
        missing.append("every sample of the agent")
    return RunRecord(
        manifest=manifest,
        steps=steps,
        samples=samples,
        histograms=histograms,
        events=events,
        missing=tuple(missing),
        points=points,
        storms=storms,
    )


def _lost_steps(steps: tuple[StepObservation, ...], events: tuple[RunEvent, ...]) -> int:
    """Return how many steps were begun, and are not recorded: one that is under way need not be."""
    is_over = any(event.kind in {"finished", "aborted"} for event in events)
    indexes = (event.detail.get("index") for event in events if event.kind == "phase")
    begun = sorted({index for index in indexes if isinstance(index, int)})
    return len(set(begun if is_over else begun[:-1]) - {step.index for step in steps})


def _how_it_ended(events: tuple[RunEvent, ...]) -> str:
    aborts = [event for event in events if event.kind == "aborted"]
    if aborts:
        return f"the end: the run was aborted ({aborts[-1].detail.get('reason', 'no reason recorded')})"
    return "the end: the run is still going on, or was killed"


def _manifest(path: Path) -> RunManifest:
    file = path / "run.json"
    try:
        text = _content(file)
    except OSError:
        raise ConfigError(f"{path}: not a run (no readable run.json in it)") from None
    try:
        return _manifest_of(file, strict_json(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{file}: not a run's manifest ({_first_line(error)})") from None


def _manifest_of(file: Path, document: Mapping[str, Any]) -> RunManifest:
    _refuse_others(file, document["format_version"])
    target = _target(file, document["target"])
    return _MANIFEST.validate_python({**document, "target": target})


def _require_readable(path: Path, content: bytes) -> None:
    """Raise ConfigError where a manifest would be written that nobody could load again."""
    try:
        _manifest_of(path, strict_json(content))
    except ValueError as error:
        raise ConfigError(
            f"{path}: the run could not be read again, so it is not begun ({_first_line(error)})"
        ) from None


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        return printable(f"{error.error_count()} fields are wrong, {place}: {first['msg']}")
    return printable(str(error).partition("\n")[0])


def _target(file: Path, document: Mapping[str, Any]) -> TargetSpec:
    try:
        return TargetSpec.from_document(document)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None


def _refuse_others(file: Path, version: int) -> None:
    if version > FORMAT_VERSION:
        raise ConfigError(
            f"{file}: format {version} is newer than this program's {FORMAT_VERSION}; update it"
        )
    if version != FORMAT_VERSION:
        raise ConfigError(f"{file}: there was never a format {version}; name a run")


def _manifest_json(manifest: RunManifest) -> bytes:
    """Return run.json: the target in it is its file as it was validated."""
    document = json.loads(_MANIFEST.dump_json(manifest))
    document["target"] = dict(manifest.target.document)
    return json.dumps(document, indent=2, ensure_ascii=False).encode()


def _lines(file: Path, adapter: TypeAdapter[T], missing: list[str]) -> Iterator[T]:
    try:
        lines = _content(file).splitlines()
    except FileNotFoundError:
        return
    except OSError as error:
        missing.append(f"{file.name} (cannot be read: {error.strerror})")
        return
    for number, line in enumerate(lines, start=1):
        try:
            yield adapter.validate_python(strict_json(line))
        except ValueError:
            missing.append(f"{file.name}:{number} (unreadable line)")


def _content(file: Path) -> bytes:
    """Return what is in *file*. Raises OSError, also where it is a pipe or a device."""
    with open(file, "rb", opener=_without_waiting) as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise OSError(0, "no regular file")
        return opened.read()


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
