"""What a process of ours asks of the kernel before it works."""

import ctypes
import os
import resource
import signal

import gevent

_PR_SET_PDEATHSIG = 1
DESCRIPTORS_BESIDE_CONNECTIONS = 100
"""A Locust process's own descriptors: interpreter, log, ZeroMQ, event loop, pollers' slack."""


def raise_descriptor_limit() -> int:
    """Raise the soft descriptor limit to the hard one and return it.

    Locust stops at 10,000 even where the hard limit is higher.
    """
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return descriptor_limit()


def descriptor_limit() -> int:
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 1 << 20


def die_with_parent(parent: int, by: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel end this process by a signal when *parent* is gone, however it went."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, by)
    if os.getppid() != parent:  # It went between fork and prctl.
        os.kill(os.getpid(), by)


def interrupts_wait_for_a_switch() -> None:
    """Let Ctrl-C reach Locust's main greenlet between two others, not in the middle of one.

    Python raises KeyboardInterrupt in whatever runs: a record half opened could not be closed.
    """
    hub = gevent.get_hub()
    gevent.signal_handler(signal.SIGINT, hub.handle_system_error, KeyboardInterrupt, None)
