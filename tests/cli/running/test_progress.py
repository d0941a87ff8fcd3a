"""What is shown comes from the files of a run, written here by the run's own writer."""

import io
import itertools
import json
import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from capacity.cli.running import progress
from capacity.cli.running.progress import Tail, watch
from capacity.domain.run import RunEvent
from capacity.recording.run_directory import RunWriter

RECORDS = runpy.run_path(str(Path(__file__).parents[2] / "bare_records.py"))


@pytest.fixture(name="writer")
def fixture_writer(tmp_path, bare_manifest, monkeypatch):
    monkeypatch.setattr(progress, "POLL_INTERVAL_S", 0.001)
    return RunWriter(tmp_path / "run", bare_manifest)


def phase(index, name, connections):
    detail = {"index": index, "phase": name, "connections": connections, "steps": 3}
    return RunEvent(at=1.0, kind="phase", detail=detail)


def point(open_connections):
    return RECORDS["point_of"](
        open_connections=open_connections, deliveries_per_s=12.4, requests_per_s=3.0
    )


def shown(writer, *acts, is_terminal=False):
    """Return what is shown of a process that does one act for each look at it, then ends."""
    text = io.StringIO()
    left = list(acts)

    def is_running():
        if left:
            left.pop(0)()
        return bool(left)

    watch(writer.path, is_running, Console(file=text, width=200, force_terminal=is_terminal))
    return text.getvalue()


@given(
    lines=st.lists(st.dictionaries(st.text(), st.integers()), max_size=5),
    cuts=st.lists(st.integers(min_value=0, max_value=200), max_size=8),
)
def test_however_lines_are_written_each_is_returned_once(tmp_path_factory, lines, cuts):
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    file = tmp_path_factory.mktemp("tail") / "lines"
    tail, returned = Tail(file), []
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    for start, end in itertools.pairwise(edges):
        with file.open("ab") as appended:
            appended.write(content[start:end])
        returned += tail.lines()

    assert lines == returned


def test_a_file_that_is_not_there_yet_has_no_lines(tmp_path):
    assert Tail(tmp_path / "later").lines() == []


def test_in_a_log_each_plateau_is_a_line(writer):
    text = shown(
        writer,
        lambda: writer.append_event(phase(0, "ramp", 0)),
        lambda: writer.append_event(phase(0, "plateau", 0)),
        lambda: writer.append_event(phase(1, "plateau", 40)),
    )

    assert text == ("step 1 of 3, plateau: 0 connections\nstep 2 of 3, plateau: 40 connections\n")


def test_troubles_are_shown_as_they_are_and_the_end_is_left_to_others(writer):
    text = shown(
        writer,
        lambda: writer.append_event(
            RunEvent(at=1.0, kind="agent_lost", detail={"reason": "no [red]answer " * 20})
        ),
        lambda: writer.append_event(
            RunEvent(at=1.0, kind="worker_lost", detail={"worker": "vm_1"})
        ),
        lambda: writer.append_event(RunEvent(at=1.0, kind="finished", detail={})),
    )

    assert text == f"agent lost: {'no [red]answer ' * 20}\nworker lost: worker vm_1\n"


def test_what_is_written_while_the_process_ends_is_shown(writer):
    assert "3 connections" in shown(writer, lambda: writer.append_event(phase(2, "plateau", 3)))


def test_on_a_terminal_the_load_is_followed(writer):
    text = shown(
        writer,
        lambda: writer.append_event(phase(0, "plateau", 40)),
        lambda: writer.append_point(point(39)),
        is_terminal=True,
    )

    assert "step 1, plateau: 39 open, 12 deliveries/s, 3 requests/s" in text


def test_on_a_terminal_private_connections_are_told_from_public_ones(writer):
    both = replace(point(8), open_private=4)
    text = shown(
        writer,
        lambda: writer.append_event(phase(0, "plateau", 8)),
        lambda: writer.append_point(both),
        is_terminal=True,
    )

    assert "step 1, plateau: 8 open, 4 of them private, 12 deliveries/s" in text


def test_quiet_is_quiet(writer):
    console = Console(file=io.StringIO(), quiet=True)
    writer.append_event(phase(0, "plateau", 40))
    watch(writer.path, lambda: False, console)

    assert console.file.getvalue() == ""


def test_a_void_step_is_told_with_its_reason(writer, bare_step):
    void = replace(bare_step, index=1, void="the generator was saturated: [red]timers 0.2 s late")
    text = shown(writer, lambda: writer.append_step(bare_step), lambda: writer.append_step(void))

    assert text == "step 2 is void: the generator was saturated: [red]timers 0.2 s late\n"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            {"kind": "climb", "detail": {"connections": 60, "reason": "bounded by memory"}},
            "next level: 60 connections, bounded by memory",
        ),
        (
            {"kind": "climb", "detail": {"connections": None, "reason": "all done"}},
            "no further level: all done",
        ),
        (
            {"kind": "guard", "detail": {"guard": "slo", "statement": "it was late"}},
            "slo guard: it was late",
        ),
        (
            {
                "kind": "eased",
                "detail": {"connects_per_s": 25.0, "statement": "a queue overflowed"},
            },
            "throttled to 25.0 connects/s: a queue overflowed",
        ),
        (
            {
                "kind": "limit_changed",
                "detail": {
                    "limit": {
                        "resource": "descriptors",
                        "state": "known",
                        "value": 2048.0,
                        "source": "Max open files",
                    },
                    "before": {"resource": "descriptors", "state": "unlimited", "value": None},
                },
            },
            "limit on file descriptors changed from unlimited to 2,048 descriptors (Max open files)",
        ),
        (
            {"kind": "target_gone", "detail": {"sample_at": 1795802172.67}},
            "the target's process ended, as the agent sees it",
        ),
        (
            {"kind": "target_restarted", "detail": {"sample_at": 1795802172.67}},
            "the target was restarted, as the agent sees it",
        ),
        (
            {"kind": "agent_lost", "detail": {"reason": "no answer", "samples": 3}},
            "agent lost: no answer, samples 3",
        ),
    ],
)
def test_what_happens_in_a_run_is_said_in_a_sentence(event, words):
    assert words == progress._trouble_text(event)


def test_what_a_target_sends_moves_nothing_on_the_terminal(writer, bare_step):
    attack = "\x1b]0;PWNED\x07\x1b[2J\x1b[31mred\nworker lost: all"
    detail = {"reason": f"not JSON: {attack}"}
    text = shown(
        writer,
        lambda: writer.append_event(RunEvent(at=1.0, kind="unmatched_frame", detail=detail)),
        lambda: writer.append_step(replace(bare_step, void=attack)),
    )

    assert not set("\x1b\x07\r") & set(text)
    assert 2 == text.count("\n")
    assert "PWNED" in text
