"""What is made of an agent's readings, and whether a connection is open."""

import runpy
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from capacity.domain.answers.finding import Status
from capacity.loadgen.checks import agent_watch
from capacity.loadgen.checks.agent_watch import _is_calm, _seen, watch

WATCHING = runpy.run_path(str(Path(__file__).with_name("watching.py")))
DIALECT = WATCHING["DIALECT"]
INFO = WATCHING["INFO"]
COUNTS = WATCHING["COUNTS"]
Told = WATCHING["Told"]
sample = WATCHING["sample"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (Told(sample(descriptors=9.0), delay_s=17.0), "only every 17 s"),
        (Told(sample(descriptors=9.0, interval_s=15.0)), "only every 15 s"),
        (Told(sample(memory=9.0)), "neither connections nor descriptors of other"),
        (Told(sample(memory=9.0), delay_s=5.0), "neither connections nor descriptors of other"),
        (Told(sample(memory=9.0), delay_s=5.5), "only every 5.5 s"),
        (
            Told(
                *(
                    sample(seq=n, memory=9.0, interval_s=1.0 if n == 1 else 15.0)
                    for n in range(1, 31)
                )
            ),
            "neither connections nor descriptors of other",
        ),
        (
            Told(
                *(
                    sample(seq=n, memory=9.0, interval_s=1.0 if n == 1 else 15.0)
                    for n in range(1, 32)
                )
            ),
            "only every 15 s",
        ),
    ],
)
def test_a_source_that_cannot_tell_is_unknown_and_no_connection_is_opened(
    source, said, target_file, monkeypatch
):
    monkeypatch.setattr(agent_watch, "CALM_S", 0.2)
    nobody = target_file(SimpleNamespace(host="127.0.0.1", port=1))
    finding = watch(nobody, DIALECT, source, INFO).finding

    assert (Status.UNKNOWN, None) == (finding.status, finding.remedy)
    assert said in finding.statement


@pytest.mark.parametrize(("added", "is_calm"), [(-0.01, True), (0.0, False)])
def test_counts_are_calm_while_they_differ_by_less_than_what_is_looked_for(added, is_calm):
    """Half of the five connections that will be opened."""
    readings = [sample(seq=n, descriptors=10.0 + n * (1.25 + added / 2)) for n in range(3)]

    assert is_calm is _is_calm(readings)


class Slow(Told):
    """A source that has one sample more each time it is asked, and after the last one no more."""

    def samples(self, since):
        self.asked.append(since)
        return [each for each in self._samples[: len(self.asked)] if each.seq > since]


@pytest.mark.parametrize(
    ("counts", "is_seen", "said"),
    [
        ((0.0, 0.0), False, None),
        ((0.0, 5.0), True, None),
        ((0.0,), None, "not read twice"),
        ((), None, "neither its connections nor"),
    ],
    ids=["read twice and nothing came", "begun before the opening", "read once", "never read"],
)
def test_a_process_is_accused_only_when_its_counts_were_read_twice(
    counts, is_seen, said, monkeypatch
):
    monkeypatch.setattr(agent_watch, "HELD_S", 0.2)
    monkeypatch.setattr(agent_watch, "_POLL_S", 0.0)
    before = [sample(seq=n, application_connections=0.0) for n in (1, 2, 3)]
    after = [sample(seq=4 + n, application_connections=count) for n, count in enumerate(counts)]
    found = _seen(Slow(*before, *after), before, 5, 1)

    assert is_seen is found.is_seen
    assert said is None or said in found.unknown


def test_the_last_three_readings_of_each_count_are_laid_side_by_side():
    samples = [sample(seq=n, descriptors=float(n)) for n in range(1, 6)]
    samples.append(sample(seq=6, threads=7.0))

    assert [
        {"descriptors": 3.0, "threads": 7.0},
        {"descriptors": 4.0},
        {"descriptors": 5.0},
    ] == [each.used for each in agent_watch._last_readings(samples)]


def test_of_newer_samples_the_newest_reading_of_each_count_is_taken():
    samples = [sample(seq=1, descriptors=1.0, threads=2.0), sample(seq=2, descriptors=3.0)]
    (newest,) = agent_watch._newest(samples)

    assert (2, {"descriptors": 3.0, "threads": 2.0}) == (newest.seq, newest.used)
    assert [] == agent_watch._newest([])


def test_what_was_read_or_cannot_be_is_told_and_what_is_due_later_is_not():
    told = agent_watch._told([sample(descriptors=1.0)])

    assert told == COUNTS


@pytest.mark.parametrize(
    ("deed", "is_open"),
    [
        (lambda _theirs: None, True),
        (lambda theirs: theirs.send(b"x" * 200_000), True),
        (lambda theirs: theirs.shutdown(socket.SHUT_WR), False),
        (lambda theirs: (theirs.send(b"x"), theirs.shutdown(socket.SHUT_WR)), False),
    ],
    ids=["silent", "talks", "ended", "said something and ended"],
)
def test_a_connection_is_open_until_the_target_ends_it(deed, is_open):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        deed(theirs)

        assert is_open is agent_watch._is_open(ours)


class Talker:
    """A connection on which so many messages are there to be read before it ends."""

    def __init__(self, messages):
        self.left = messages

    def settimeout(self, _timeout_s):
        pass

    def recv(self, _most):
        self.left -= 1
        return b"x" if self.left >= 0 else b""


@pytest.mark.parametrize(("messages", "is_open"), [(999, False), (1000, True)])
def test_who_talks_without_end_is_read_a_thousand_times_and_is_open(messages, is_open):
    assert is_open is agent_watch._is_open(Talker(messages))


def test_counts_that_were_not_read_are_calm():
    assert _is_calm([sample(memory=1.0)])
    assert not _is_calm([sample(seq=n, threads=3.0 * n, descriptors=1.0) for n in (1, 2)])


def test_a_rise_that_is_seen_is_not_waited_for_any_longer():
    before = [sample(seq=n, application_connections=0.0) for n in (1, 2, 3)]
    after = [sample(seq=n, application_connections=5.0) for n in (4, 5, 6)]
    source = Slow(*before, *after)

    assert _seen(source, before, 5, 1).is_seen
    assert 4 == len(source.asked), "once for each sample up to the one that shows it"
