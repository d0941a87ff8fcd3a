"""Calls that end in time, whatever they wait for: bytes that drip, a name service, silence.

A socket's own time-out begins anew with every byte, and gevent's fires only in processes that gevent
has patched. So the call gets a thread (a greenlet, where threads are patched), and whoever asked for
it leaves at the deadline.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class LateError(TimeoutError):
    """No result by the deadline."""


def within(seconds: float, call: Callable[[], T], *, give_up: Callable[[], None]) -> T:
    """Return what *call* returns, or raise what it raises; LateError after *seconds*.

    *give_up* is called then: it ends what the call waits for, as far as it can.
    """
    results: list[T] = []
    problems: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as problem:  # noqa: BLE001 - raised anew where it was asked for
            problems.append(problem)

    thread = threading.Thread(target=run, name="within a deadline", daemon=True)
    thread.start()
    thread.join(seconds)
    if problems:
        raise problems[0]
    if not results:
        give_up()
        raise LateError(f"no end within {seconds:.0f} s")
    return results[0]
