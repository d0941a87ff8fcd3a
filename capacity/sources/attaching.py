"""Samples that were taken elsewhere and brought afterwards, joined to the run that they belong to.

A run is never rewritten: the join is a run of its own beside it, whole or not there at all.
"""

import platform
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from capacity.domain.errors import ConfigError
from capacity.domain.run import ClockOffset, RunEvent, RunManifest, RunRecord
from capacity.domain.sample import AgentInfo, Sample
from capacity.recording.run_directory import RunWriter, load
from capacity.sources.alignment import offset_between
from capacity.sources.spool import Spool

_MARGIN_S = 30.0
_COPIED = ("steps.jsonl", "histograms.jsonl", "load.jsonl", "events.jsonl", "storms.jsonl")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """The new run, and how its samples were laid to its time."""

    path: Path
    samples: int
    clock_offset: ClockOffset | None
    """None: not known, and taken to be none."""
    clock: str
    """declared, same host, estimated or unknown."""


def attach(run: Path, spool: Spool, declared_offset_s: float | None) -> Attached:
    """Write the run beside *run* that has its samples from *spool*. Raises ConfigError."""
    record = load(run)
    if record.manifest.agent is not None or record.samples:
        raise ConfigError(f"{run}: this run has samples of its own; attach to one without an agent")
    path = run.with_name(f"{run.name}-attached")
    if path.exists():
        raise ConfigError(f"{path}: is there already; remove it, or plan from it")
    is_here = _is_here(record.manifest, spool.info)
    clock, offset = _offset(record, spool, declared_offset_s, is_here=is_here)
    samples = _of_the_run(record, spool.samples, offset.offset_s if offset else 0.0)
    manifest = replace(
        record.manifest,
        run=path.name,
        agent=spool.info,
        clock_offset=offset,
        same_host=is_here or _is_same_name(record.manifest, spool.info),
    )
    _write(run, path, manifest, samples, clock)
    return Attached(path=path, samples=len(samples), clock_offset=offset, clock=clock)


def _offset(
    record: RunRecord, spool: Spool, declared_s: float | None, *, is_here: bool
) -> tuple[str, ClockOffset | None]:
    if declared_s is not None:
        return "declared", ClockOffset(offset_s=declared_s, error_s=0.0)
    if is_here:
        return "same host", ClockOffset(offset_s=0.0, error_s=0.0)
    found = offset_between(record.points, spool.samples)
    return ("estimated", found) if found is not None else ("unknown", None)


def _of_the_run(
    record: RunRecord, samples: Sequence[Sample], offset_s: float
) -> tuple[Sample, ...]:
    moments = [*(event.at for event in record.events), *(point.at for point in record.points)]
    begin_at = record.manifest.started_at
    end_at = max(moments, default=begin_at)
    kept = tuple(
        sample
        for sample in samples
        if begin_at - _MARGIN_S <= sample.at - offset_s <= end_at + _MARGIN_S
    )
    if not kept:
        apart_s = samples[0].at - offset_s - begin_at
        raise ConfigError(
            f"no sample is from the time of the run: the first is {abs(apart_s):.0f} s"
            f" {'after' if apart_s > 0 else 'before'} its start; name the files of that time, or"
            " say by --clock-offset how far the target's clock is ahead of the recorder's"
        )
    return kept


def _write(
    run: Path, path: Path, manifest: RunManifest, samples: Sequence[Sample], clock: str
) -> None:
    try:
        with tempfile.TemporaryDirectory(dir=run.parent, prefix=f".{path.name}-") as parent:
            part = Path(parent) / path.name
            writer = RunWriter(part, manifest)
            for name in _COPIED:
                if (run / name).exists():
                    shutil.copyfile(run / name, part / name)
            writer.append_samples(samples)
            detail = {"samples": len(samples), "clock": clock, "of": run.name}
            writer.append_event(RunEvent(at=time.time(), kind="samples_attached", detail=detail))
            part.rename(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot write it ({error.strerror})") from None


def _is_here(manifest: RunManifest, info: AgentInfo) -> bool:
    """Whether the run was recorded on this host since it was started, and the agent ran on it."""
    if manifest.generator.get("host") != platform.node() or not _BOOT_ID.exists():
        return False
    return info.boot_id == _BOOT_ID.read_text(encoding="ascii").strip()


def _is_same_name(manifest: RunManifest, info: AgentInfo) -> bool:
    return info.host in {manifest.generator.get("host"), *(manifest.generator.get("hosts") or ())}
