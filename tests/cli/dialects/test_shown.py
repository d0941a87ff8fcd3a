"""How frames and counts are shown."""

from capacity.cli.dialects.shown import Frames, summary
from capacity.workload.drafting.replay import Counts
from capacity.workload.reception import Kind, Reception, unmatched


def test_frames_beyond_the_most_are_counted(capsys):
    frames = Frames(1)
    frames.show(0.5, b"\x1b[2J", "made")
    frames.show(0.6, b"x", None)
    frames.close()
    shown = capsys.readouterr().out

    assert "\x1b" not in shown
    assert "made" in shown
    assert "… 1 further frame, counted below" in shown


def test_counts_are_sentences():
    counts = Counts(frames=3, ours=1)
    counts.note(Reception(Kind.DATA, "a", 1.0, 2, updates=1, numbered=1), 1.5)
    counts.note(unmatched("not JSON", b"<html>"), 2.0)

    assert [
        "2 frames from the server: 1 with updates, 1 NOT UNDERSTOOD",
        "  a: 1 update",
        (
            "time of publication read in 1 of 1 update; they came 500 ms after it in the median, by both"
            " clocks"
        ),
        "number or checksum read in 1 of 1 update; 2 missing",
        "1 × not JSON; the first: <html>",
    ] == list(summary(counts))
