"""Ties our parts to Locust's events. A locustfile calls `install()`; more than once does no harm."""

from locust import events
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

import atexit
import os
import signal
import sys
from typing import Any
from weakref import WeakKeyDictionary

from capacity.loadgen.arguments import add_arguments, options_of
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.master.session import Session
from capacity.loadgen.master.workers.liveness import be_patient
from capacity.loadgen.steady_time import keep_time_steady
from capacity.loadgen.web.pages import mount
from capacity.loadgen.wire.process_limits import die_with_parent, interrupts_wait_for_a_switch

_sessions: "WeakKeyDictionary[Environment, Session]" = WeakKeyDictionary()
_installed: list[bool] = []
_forked: list[bool] = []
_LOADED_BY = os.getpid()
"""The process that loaded the locustfiles: with --processes, the one its workers are forked from."""


def install() -> None:
    """Register our listeners with Locust, once."""
    if _installed:
        return
    _installed.append(True)
    be_patient()
    keep_time_steady()
    events.init_command_line_parser.add_listener(add_arguments)
    events.init.add_listener(_on_init)
    # At import, not in init: listeners of `quitting` run in reverse order, and ours must come
    # after the master has stopped its workers.
    events.quitting.add_listener(_on_quitting)
    if any(argument.partition("=")[0] == "--processes" for argument in sys.argv):
        os.register_at_fork(after_in_child=_on_fork)


def session_of(environment: Environment) -> Session:
    """Return what directs the runs of a master or local *environment*."""
    return _sessions[environment]


def _on_fork() -> None:
    """Tie a worker to its master at once: one whose master is gone waits minutes for its answer.

    By SIGKILL, which ends one that is stopped or busy as well: without a master it has nothing to say.
    """
    if not _forked:
        _forked.append(True)
        die_with_parent(_LOADED_BY, signal.SIGKILL)


def _on_init(environment: Environment, runner: Any = None, **_kwargs: Any) -> None:
    if isinstance(runner, WorkerRunner | LocalRunner):
        Worker(environment)
    if isinstance(runner, WorkerRunner) and options_of(environment).processes:
        die_with_parent(_LOADED_BY, signal.SIGKILL)
    if isinstance(runner, MasterRunner | LocalRunner):
        interrupts_wait_for_a_switch()
        _sessions[environment] = Session(environment)
        if options_of(environment).headless:
            atexit.register(_sessions[environment].on_exit)
        if environment.web_ui is not None:
            mount(environment, _sessions[environment])


def _on_quitting(environment: Environment, **_kwargs: Any) -> None:
    if environment in _sessions:
        _sessions[environment].on_quitting()
