"""A deadline for the whole of an exchange, in the load generator as on the command line."""

from collections.abc import Callable
from typing import TypeVar

import gevent
from gevent import monkey

from capacity.sources.deadline import within

T = TypeVar("T")


def in_time(seconds: float, call: Callable[[], T]) -> T:
    """Return what *call* returns. Raises TimeoutError after *seconds*, however bytes drip until then.

    In a process that gevent has not patched, a call that is late goes on in a thread: that is a
    command about to end.
    """
    if monkey.is_module_patched("socket"):
        with gevent.Timeout(seconds, TimeoutError):
            return call()
    return within(seconds, call, give_up=lambda: None)
