import pytest

from capacity.reporting.first_screen.texts import capital, first_clause, shortened


def test_only_the_first_letter_is_raised():
    assert capital("CPU of the target") == "CPU of the target"
    assert capital("event loop") == "Event loop"
    assert capital("") == ""


@pytest.mark.parametrize(
    ("text", "clause"),
    [("Raise it; read here.", "Raise it."), ("Raise it.", "Raise it."), ("", "")],
)
def test_a_remedy_is_cut_at_its_first_semicolon(text, clause):
    assert first_clause(text) == clause


@pytest.mark.parametrize(
    ("most", "shown"), [(11, "one two six"), (10, "one two …"), (3, "on …"), (9, "one two …")]
)
def test_a_text_is_cut_between_two_words(most, shown):
    assert shortened("one two six", most) == shown
