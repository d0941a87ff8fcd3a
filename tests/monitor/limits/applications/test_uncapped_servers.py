"""Servers without a cap say so."""


def test_they_leave_the_question_open_whether_something_behind_them_caps(made):
    (entry,) = made.entries("/usr/bin/daphne", "app:app")

    assert (entry.value, entry.resource) == (None, None)
    assert entry.source.endswith("daphne has none")
