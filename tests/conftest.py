"""Locust patches sockets and TLS when it is imported: it must come before anything that uses them."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    # The main thread of a worker is woken by one that is none of gevent's: its locks stay native.
    # Not threading.RLock, which makes what gevent has put in the place of the native one by then.
    import queue
    from _thread import RLock

    from execnet.gateway_base import ThreadExecModel

    class NativeEvent:
        """What a worker waits for its next test with."""

        def __init__(self, new_queue=queue.SimpleQueue):
            self._tokens = new_queue()

        def set(self):
            self._tokens.put(None)

        def clear(self):
            while not self._tokens.empty():
                self._tokens.get()

        def wait(self, timeout=None, nothing_came=queue.Empty):
            try:
                self._tokens.get(timeout=timeout)
            except nothing_came:
                return False
            self._tokens.put(None)
            return True

    ThreadExecModel.Event = lambda _: NativeEvent()
    ThreadExecModel.RLock = ThreadExecModel.Lock = lambda _: RLock()

import locust  # noqa: F401 - see above

import signal
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
FAST_EXAMPLES, FULL_EXAMPLES, FUZZ_EXAMPLES = 25, 400, 12_000

# Time is no matter of properties; a slow machine must not fail them.
settings.register_profile("fast", deadline=None, max_examples=FAST_EXAMPLES)
settings.register_profile("full", deadline=None, max_examples=FULL_EXAMPLES)
settings.register_profile("fuzz", deadline=None, max_examples=FUZZ_EXAMPLES, print_blob=True)
settings.load_profile(os.environ.get("CAPACITY_HYPOTHESIS_PROFILE", "fast"))

# A shell without job control has what it starts in the background ignore Ctrl-C, and their children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Put the long ones first: what is left at the end is shared evenly by the processes."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: (not is_load(item), not item.get_closest_marker("end_to_end")))


def is_load(item):
    """Return whether this one loads real targets for a minute, one such test after the other."""
    return any(mark.args == ("load",) for mark in item.iter_markers("xdist_group"))


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture
def seconds():
    """Seconds that stretch on slow machines: CAPACITY_TEST_TIME_FACTOR=3."""
    factor = float(os.environ.get("CAPACITY_TEST_TIME_FACTOR", "1"))
    return lambda value: value * factor
