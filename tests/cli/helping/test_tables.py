import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from capacity.cli.helping.tables import print_facts, print_table
from capacity.reporting.document import Cell, Section, Table, cells

NOTE = "connection including deliveries 1 descriptor, requests 0.0197 descriptors"


def section(columns, *rows, numeric=()):
    return Section(
        anchor="a",
        heading="Heading",
        table=Table(columns=columns, rows=rows, numeric=frozenset(numeric)),
    )


def printed(shown, width, **options):
    text = io.StringIO()
    print_table(shown, Console(file=text, width=width, color_system=None), **options)
    return text.getvalue()


LADDER = section(
    ("", "Resource", "Limit", "Cost", "Ceiling"),
    (
        Cell(text="1"),
        Cell(text="file descriptors"),
        Cell(text="4,096 descriptors"),
        Cell(text="1.02 descriptors", note=NOTE),
        Cell(text="4,010", note="4,006 to 4,013"),
    ),
    numeric=(3, 4),
)


def test_what_fits_is_printed_whole():
    text = printed(LADDER, 160)

    assert "file descriptors" in text
    assert NOTE in text


def test_the_longest_note_goes_before_any_other():
    text = printed(LADDER, 60)

    assert "deliveries" not in text
    assert "1.02" in text
    assert "4,006" in text


def test_then_a_column_goes_that_can_be_done_without():
    text = printed(LADDER, 50, optional=[3])

    assert "Cost" not in text
    assert "┃" in text
    assert "4,096" in text


def test_what_does_not_fit_is_printed_a_line_for_each_value():
    text = printed(LADDER, 40)

    assert "┃" not in text
    assert re.search(r"^Limit +4,096 descriptors *$", text, re.MULTILINE)
    assert re.search(r"^Ceiling +4,010 *$", text, re.MULTILINE)


@pytest.mark.parametrize(("width", "is_table"), [(25, True), (24, False)])
def test_a_table_needs_its_longest_words_and_three_columns_each_for_its_frame(width, is_table):
    # Two columns of 9: 9 + 9, three for each, and one.
    shown = section(("a", "b"), cells("aaaaaaaaa bb", "ccccccccc d"))

    assert ("┃" in printed(shown, width)) is is_table


@pytest.mark.parametrize(("length", "is_whole"), [(48, True), (49, False)])
def test_only_longer_words_than_48_letters_may_be_cut(length, is_whole):
    text = printed(section(("a", "b"), cells("x" * length, "yy zz")), 48 + 2 + 2 * 3 + 1)

    assert "┃" in text
    assert ("x" * length in text) is is_whole


@pytest.mark.parametrize(("words", "is_noted"), [(8, True), (9, False)])
def test_a_note_of_more_than_four_lines_is_left_out(words, is_noted):
    # Words of four letters and a space, in a column of ten.
    shown = section(("h" * 10,), (Cell(text="a", note=" ".join(["note"] * words)[:-1]),))

    assert ("note" in printed(shown, 10 + 3 + 1)) is is_noted


def test_columns_can_be_chosen_and_numbers_stand_to_the_right():
    text = printed(LADDER, 80, columns=(1, 4))

    assert "Limit" not in text
    assert re.search(r" 4,010 │$", text, re.MULTILINE)


def test_a_section_without_a_table_prints_nothing():
    assert not printed(Section(anchor="a", heading="Heading"), 80)


@pytest.mark.parametrize("width", [80, 30])
def test_only_the_first_column_is_styled(width):
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=True, color_system="standard")
    shown = section(("", "What was seen, in words"), cells("failed", "failed"))

    print_table(shown, console, styles={"failed": "red"})

    assert text.getvalue().count("\x1b[31m") == 1


@pytest.mark.parametrize("width", [120, 20])
def test_hostile_text_reaches_the_terminal_neither_as_markup_nor_as_escapes(width):
    text = printed(section(("a", "b"), cells("[bold]x[/]", "\x1b[2J")), width)

    assert "[bold]x[/]" in text
    assert "\x1b" not in text


def test_facts_are_a_line_each():
    text = io.StringIO()

    print_facts([("Capacity", "4,010"), ("Safe", "[b]")], Console(file=text, width=60))

    assert text.getvalue().split() == ["Capacity", "4,010", "Safe", "[b]"]


words = st.text(alphabet="abcdefgh", min_size=1, max_size=12)
texts = st.lists(words, min_size=1, max_size=6).map(" ".join)
tables = st.integers(1, 5).flatmap(
    lambda count: st.lists(
        st.tuples(*[st.builds(Cell, text=texts, note=st.just("") | texts)] * count),
        min_size=1,
        max_size=4,
    )
)


@given(rows=tables, width=st.integers(40, 160))
def test_no_word_is_ever_cut_and_no_line_longer_than_the_console(rows, width):
    shown = section(tuple(f"heading{at}" for at in range(len(rows[0]))), *rows)

    text = printed(shown, width)

    assert max(len(line.rstrip("\n")) for line in text.splitlines()) <= width
    found = set(re.findall(r"\w+", text))
    assert {word for row in rows for cell in row for word in cell.text.split()} <= found
