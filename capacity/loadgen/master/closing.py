"""The end of a run: its record is closed once, whoever asks for it and however often."""

from collections.abc import Callable
from typing import Any

import gevent

from capacity.loadgen.master.run_endings import Ending


class Closing:
    def __init__(self, close: Callable[[str, dict[str, Any]], None]) -> None:
        """Take what closes the record with the kind of an ending and its detail."""
        self._close = close
        self._greenlet: gevent.Greenlet | None = None
        self.ending: Ending | None = None
        """How the run ended, or is about to."""
        self.is_over = False

    @property
    def exit_code(self) -> int:
        return 0 if self.ending is None else int(self.ending[1].get("exit_code", 0))

    def begin(self, ending: Ending) -> None:
        """Close the record, once; a later call waits until the first one is done."""
        if self._greenlet is None:
            self.ending = ending
            # In a greenlet of its own: Locust may kill the caller's while the record is closed.
            self._greenlet = gevent.spawn(self._run)
        self._greenlet.join()

    def _run(self) -> None:
        assert self.ending is not None
        try:
            self._close(*self.ending)
        finally:
            # Last, because Locust may end the process as soon as the load shape says so.
            self.is_over = True
