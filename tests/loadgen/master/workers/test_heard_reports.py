import pytest

from capacity.loadgen.master.workers.heard_reports import HeardReports


def report(number, index=0, phase="plateau", run="a"):
    return {"run": run, "number": number, "index": index, "phase": phase}


@pytest.fixture
def heard():
    return HeardReports("a")


def test_a_report_is_counted_once_however_often_it_comes(heard):
    assert [True, False, True] == [heard.is_new("w", report(n)) for n in (1, 1, 2)]
    assert heard.is_new("v", report(1))


def test_a_report_of_another_run_is_nobodys(heard):
    assert not heard.is_new("w", report(1, run="b"))
    assert heard.tag("w") is None
    assert -1 == heard.newest_index({"w"})


def test_what_is_missing_may_belong_to_every_step_between_those_that_came(heard):
    heard.is_new("w", report(1, index=1))
    heard.is_new("w", report(4, index=2))

    assert [0, 2, 2, 0] == [heard.missing(index) for index in range(4)]


def test_what_comes_late_is_counted_and_missing_no_more(heard):
    for number in (1, 3):
        heard.is_new("w", report(number))
    before = heard.missing(0)

    assert (1, True, False, 0) == (
        before,
        heard.is_new("w", report(2)),
        heard.is_new("w", report(2)),
        heard.missing(0),
    )


def test_the_first_reports_can_be_missing_too(heard):
    heard.is_new("w", report(2, index=1))

    assert (1, 1, 0) == (heard.missing(0), heard.missing(1), heard.missing(2))


def test_the_newest_step_is_that_of_whoever_is_farthest(heard):
    heard.is_new("w", report(1, index=1))
    heard.is_new("v", report(1, index=2, phase="ramp"))

    assert (1, "plateau") == heard.tag("w")
    assert (2, 1) == (heard.newest_index({"w", "v"}), heard.newest_index({"w", "u"}))


def test_who_sent_nothing_that_counts_is_in_no_step(heard):
    assert not heard.is_new("w", report(0))
    assert (-1, "") == heard.tag("w")
    assert -1 == heard.newest_index({"w"})


def test_what_is_missing_before_a_step_is_of_the_steps_since_the_report_before(heard):
    heard.is_new("w", report(1, index=2))
    heard.is_new("w", report(3, index=-1, phase="idle"))

    assert [0, 0, 1, 0] == [heard.missing(index) for index in range(4)]
