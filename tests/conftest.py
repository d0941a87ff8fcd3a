"""Locust patches sockets and TLS when it is imported: it must come before anything that uses them."""

import gc
import os

IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
if IS_WORKER:
    # The main thread of a worker waits for one that is none of gevent's: its locks stay native.
    # Not threading.RLock, which makes what gevent has put in the place of the native one by then.
    import functools
    import threading
    import time
    from _thread import RLock

    from execnet.gateway_base import ThreadExecModel

    def wait_natively(event, timeout=None, *, clock_s=time.monotonic, sleep=time.sleep):
        """Wait for an event that another thread sets, without gevent, whose wake-up may be lost."""
        deadline_s = None if timeout is None else clock_s() + timeout
        while not event.is_set():
            if deadline_s is not None and clock_s() > deadline_s:
                return False
            sleep(0.002)
        return True

    class NativeEvent:
        def __init__(self):
            self._is_set = False

        def is_set(self):
            return self._is_set

        def set(self):
            self._is_set = True

        def clear(self):
            self._is_set = False

        wait = wait_natively

    ThreadExecModel.Event = lambda _: NativeEvent()
    ThreadExecModel.RLock = ThreadExecModel.Lock = lambda _: RLock()
    for made_before in gc.get_objects():
        if type(made_before) is threading.Event:
            made_before.wait = functools.partial(wait_natively, made_before)

import locust  # noqa: F401 - see above

import re
import signal
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from capacity.recording.lock_place import VARIABLE

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


SELDOM = ("alone", "long")
"""Marks of few tests, each of which is asked for by name: groups.py."""


def pytest_ignore_collect(collection_path, config):
    """Leave out files without a mark that is asked for: to import them all takes longer than its tests."""
    if collection_path.suffix != ".py" or not collection_path.name.startswith("test_"):
        return None
    asked = config.option.markexpr
    wanted = [mark for mark in SELDOM if re.fullmatch(rf"(.* and )?{mark}( and .*)?", asked)]
    text = collection_path.read_text(encoding="utf-8") if wanted else ""
    return any(f"mark.{mark}" not in text for mark in wanted) or None


TOGETHER = 80
"""Tests of a file that one process takes at once: they share what the file prepares for all of them."""


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """Look for no garbage while what is made stays to the end: that takes a fifth of the time.

    Once afterwards, before a test has a deadline that half a second of it would miss, and never again among that.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items):
    """Put the long ones first: what is left at the end is shared evenly by the processes."""
    if not IS_WORKER:
        return
    items.sort(key=lambda item: (not has(item, "end_to_end"), not has(item, "xdist_group")))
    taken = Counter()
    for item in items:
        if not has(item, "xdist_group") and not has(item, "end_to_end"):
            name = ".".join(item.path.relative_to(ROOT).parts)
            item.add_marker(pytest.mark.xdist_group(f"{name} {taken[name] // TOGETHER}"))
            taken[name] += 1


def has(item, marker):
    return item.get_closest_marker(marker) is not None


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session", autouse=True)
def locks(tmp_path_factory):
    """Locks of targets of their own: tests that run beside these have the same addresses in other networks."""
    place = tmp_path_factory.mktemp("locks")
    os.environ[VARIABLE] = str(place)
    return place


@pytest.fixture(scope="session")
def refused_by_kubernetes():
    """What the newest Kubernetes would refuse of a manifest, None where it takes it."""
    import kubernetes_validate

    def refusal(manifest):
        try:
            kubernetes_validate.validate(
                manifest, kubernetes_validate.latest_version(), strict=True
            )
        except kubernetes_validate.ValidationError as error:
            return error.message
        return None

    return refusal


@pytest.fixture
def seconds():
    """Seconds that stretch on slow machines: CAPACITY_TEST_TIME_FACTOR=3."""
    factor = float(os.environ.get("CAPACITY_TEST_TIME_FACTOR", "1"))
    return lambda value: value * factor
