"""Signals and time as errors, each with its exit code, and handlers as they were before."""

import signal

import pytest

from capacity.cli.scheduling import time_limit
from capacity.cli.scheduling.time_limit import StoppedError, ending_in_time
from capacity.domain.errors import GuardError


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)],
)
def test_a_signal_ends_it_with_the_exit_code_of_a_shell(number, exit_code):
    with pytest.raises(StoppedError, match=number.name) as stopped, ending_in_time(3600.0):
        signal.raise_signal(number)

    assert exit_code == stopped.value.exit_code


def test_the_end_of_the_jobs_time_is_a_guard_and_names_the_key(monkeypatch):
    monkeypatch.setattr(time_limit, "GRACE_S", 0.0)
    with (
        pytest.raises(GuardError, match="after 0 s, the job's max_duration_s"),
        ending_in_time(0.2),
    ):
        signal.pause()


def test_who_is_told_to_outlive_its_terminal_does():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending_in_time(3600.0):
            during = signal.getsignal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)

    assert signal.SIG_IGN == during


def test_afterwards_signals_and_timer_are_as_before():
    before = signal.getsignal(signal.SIGTERM)
    with ending_in_time(3600.0):
        during = signal.getsignal(signal.SIGTERM)

    assert during != before == signal.getsignal(signal.SIGTERM)
    assert 0.0 == signal.getitimer(signal.ITIMER_REAL)[0]
