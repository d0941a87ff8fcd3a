"""A sentence is told once when it begins to hold and once when it does no longer."""

from capacity.monitor.notes import Notes


def test_a_topic_is_told_once_and_stands_until_it_is_dropped(capsys):
    notes = Notes()
    notes.say("disk", "is full")
    notes.say("disk", "is full, 2 samples wait")
    standing = notes.sentences
    notes.drop("disk")
    notes.drop("disk")

    assert standing == ("is full, 2 samples wait",)
    assert notes.sentences == ()
    assert capsys.readouterr().err.splitlines() == [
        "capacity agent: is full",
        "capacity agent: over: is full, 2 samples wait",
    ]


def test_topics_stand_side_by_side(capsys):
    notes = Notes()
    notes.say("disk", "is full")
    notes.say("beat", "is stretched")
    notes.drop("disk")
    notes.say("disk", "is full again")

    assert notes.sentences == ("is stretched", "is full again")
    assert len(capsys.readouterr().err.splitlines()) == 4
