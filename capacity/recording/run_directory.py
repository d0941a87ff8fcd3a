"""A run on disk: append-only, and loadable whatever was killed while it was written.

    run.json           the manifest, written before the first connection, never again
    steps.jsonl        one StepObservation a line, appended when its plateau ends
    samples.jsonl      the agent's samples, as they came
    histograms.jsonl   {"step", "series", "counts"}: durations in microseconds
    load.jsonl         one LoadPoint a second
    events.jsonl       phases, lost workers, problems, the end
    ending.json        instead of all these: why the run could not begin (ending.py)

Derived files (plan.json, report.*) lie beside them and can be made again at any time.

Format history: 1 - first version.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from capacity.domain.errors import ConfigError
from capacity.domain.histogram import Histogram
from capacity.domain.observation import StepObservation
from capacity.domain.run import LoadPoint, RunEvent, RunManifest, RunRecord
from capacity.domain.sample import Sample
from capacity.domain.target import TargetSpec

FORMAT_VERSION = 1

T = TypeVar("T")

_MANIFEST: TypeAdapter[RunManifest] = TypeAdapter(RunManifest)
_STEP: TypeAdapter[StepObservation] = TypeAdapter(StepObservation)
_SAMPLE: TypeAdapter[Sample] = TypeAdapter(Sample)
_POINT: TypeAdapter[LoadPoint] = TypeAdapter(LoadPoint)
_EVENT: TypeAdapter[RunEvent] = TypeAdapter(RunEvent)
_HISTOGRAM: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


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
        try:
            path.mkdir(parents=True, exist_ok=True)
            _write_whole(path / "run.json", _manifest_json(manifest))
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
        (int(line["step"]), str(line["series"])): Histogram(
            {int(bucket): int(count) for bucket, count in line["counts"].items()}
        )
        for line in _lines(path / "histograms.jsonl", _HISTOGRAM, missing)
    }
    points = tuple(_lines(path / "load.jsonl", _POINT, missing))
    if not any(event.kind == "finished" for event in events):
        missing.append(_how_it_ended(events))
    if len(steps) < len(manifest.steps):
        missing.append(f"{len(manifest.steps) - len(steps)} of {len(manifest.steps)} steps")
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
    )


def _how_it_ended(events: tuple[RunEvent, ...]) -> str:
    aborts = [event for event in events if event.kind == "aborted"]
    if aborts:
        return f"the end: the run was aborted ({aborts[-1].detail.get('reason', 'no reason recorded')})"
    return "the end: the run is still going on, or was killed"


def _manifest(path: Path) -> RunManifest:
    file = path / "run.json"
    try:
        text = file.read_bytes()
    except OSError:
        raise ConfigError(f"{path}: not a run (no readable run.json in it)") from None
    try:
        document = json.loads(text)
        _refuse_newer(file, document["format_version"])
        target = _target(file, document["target"])
        return _MANIFEST.validate_python({**document, "target": target})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        first_line = str(error).splitlines()[0]
        raise ConfigError(f"{file}: not a run's manifest ({first_line})") from None


def _target(file: Path, document: Mapping[str, Any]) -> TargetSpec:
    try:
        return TargetSpec.from_document(document)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None


def _refuse_newer(file: Path, version: int) -> None:
    if version > FORMAT_VERSION:
        raise ConfigError(
            f"{file}: format {version} is newer than this program's {FORMAT_VERSION}; update it"
        )


def _manifest_json(manifest: RunManifest) -> bytes:
    """Return run.json: the target in it is its file as it was validated."""
    document = json.loads(_MANIFEST.dump_json(manifest))
    document["target"] = dict(manifest.target.document)
    return json.dumps(document, indent=2, ensure_ascii=False).encode()


def _lines(file: Path, adapter: TypeAdapter[T], missing: list[str]) -> Iterator[T]:
    if not file.exists():
        return
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        try:
            yield adapter.validate_json(line)
        except ValidationError:
            missing.append(f"{file.name}:{number} (unreadable line)")
