"""Open files of the whole host, against fs.file-max; use and limit stand in one line."""

from collections.abc import Iterable

from capacity.domain.resources import Limit, Resource
from capacity.monitor.collectors.base import HostCollector
from capacity.monitor.host.procfs import read_text
from capacity.monitor.limits.states import known, unknown, unlimited
from capacity.monitor.readings import READ_ERRORS, Reading

_UNLIMITED_FILES = (1 << 63) - 1
"""What systemd sets: the largest number that file-max takes."""


class FileTableCollector(HostCollector):
    provides = (Resource.FILE_TABLE,)

    def __init__(self, proc: str = "/proc") -> None:
        self._path = f"{proc}/sys/fs/file-nr"

    def collect(self) -> Reading:
        allocated, free, _limit = self._read()
        return Reading(used={Resource.FILE_TABLE: float(allocated - free)})

    def limits(self) -> Iterable[Limit]:
        source = f"{self._path}: third number (fs.file-max)"
        try:
            _allocated, _free, limit = self._read()
        except READ_ERRORS as error:
            return [unknown(Resource.FILE_TABLE, "host", source, error)]
        if limit >= _UNLIMITED_FILES:
            return [unlimited(Resource.FILE_TABLE, "host", source)]
        return [known(Resource.FILE_TABLE, limit, "host", source)]

    def _read(self) -> tuple[int, int, int]:
        allocated, free, limit = map(int, read_text(self._path).split())
        return allocated, free, limit
