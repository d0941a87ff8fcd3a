"""Files that an agent wrote with --spool: a line with its info, then a line for each sample.

A further info begins what a restarted agent wrote. A torn line, as the last of a file is after a
power cut, is left out and counted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from capacity.domain.errors import ConfigError
from capacity.domain.sample import AgentInfo, Sample
from capacity.sources.border import UnreadableError, read_info, read_sample

_MOST_BYTES = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """What the files hold, in the order of time and numbered through."""

    info: AgentInfo
    """The first one: who was watched when it began."""
    samples: tuple[Sample, ...]
    torn: int
    """Lines that cannot be read."""


def read_spool(places: Iterable[Path]) -> Spool:
    """Return what files, or directories of them, hold in any order. Raises ConfigError."""
    infos: list[AgentInfo] = []
    samples: list[Sample] = []
    torn = 0
    for file in _files(places):
        lines = _lines(file)
        try:
            infos.append(read_info(lines[0]))
        except (UnreadableError, IndexError):
            raise ConfigError(
                f"{file}:1: no agent's info; name files that `capacity agent --spool` wrote"
            ) from None
        for line in lines[1:]:
            try:
                if b'"agent_version"' in line:
                    infos.append(read_info(line))
                else:
                    samples.append(read_sample(line))
            except UnreadableError:
                torn += 1
    if not samples:
        raise ConfigError("the files hold no sample; was the agent stopped before its first?")
    infos.sort(key=lambda info: info.now)
    if len({(info.host, info.target_name) for info in infos}) > 1:
        whom = sorted({f"{info.target_name} on {info.host}" for info in infos})
        raise ConfigError(f"the files are about several targets, {', '.join(whom)}; name one's")
    return Spool(info=infos[0], samples=_numbered(samples), torn=torn)


def _files(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        if not place.is_dir():
            yield place
        elif files := sorted(place.glob("*.ndjson")):
            yield from files
        else:
            raise ConfigError(f"{place}: has no file of samples (*.ndjson)")


def _lines(file: Path) -> list[bytes]:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise ConfigError(f"{file}: larger than {_MOST_BYTES} bytes; this is no spool file")
        return file.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None


def _numbered(samples: list[Sample]) -> tuple[Sample, ...]:
    """Return the samples in time, each once; numbers go on where a restarted agent counts anew."""
    in_time = sorted({(sample.at, sample.seq): sample for sample in samples}.items())
    numbered: list[Sample] = []
    shift = 0
    for _, sample in in_time:
        if numbered and sample.seq + shift <= numbered[-1].seq:
            shift = numbered[-1].seq + 1 - sample.seq
        numbered.append(replace(sample, seq=sample.seq + shift))
    return tuple(numbered)
