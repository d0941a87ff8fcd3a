import pytest

from capacity.domain.answers.finding import Status
from capacity.planning.safety.heard_updates import Heard, Update, heard_findings

NOW = 1_800_000_000.0


def update(channel="px.BTC", **changes):
    return Update(
        **{"channel": channel, "heard_at": NOW, "published_at": NOW - 0.003, "number": 5, **changes}
    )


def found(*latest, **changes):
    """Return the findings by name on a connection that heard these, 4 updates of each."""
    count = 4 * len(latest)
    heard = Heard(
        **{
            "seconds": 2.0,
            "frames": count,
            "unmatched": 0,
            "first_unmatched": None,
            "updates": count,
            "timed": sum(4 for each in latest if each.published_at is not None),
            "numbered": sum(4 for each in latest if each.number is not None),
            "latest": latest,
            "silent": (),
            "time": ("ts", "ms"),
            "sequence": "seq",
            **changes,
        }
    )
    return {finding.name: finding for finding in heard_findings(heard)}


def test_each_channel_is_shown_with_its_last_update():
    findings = found(update(), update("px.ETH", published_at=NOW + 0.5, number=9))
    [finding] = findings.values()

    assert (Status.OK, None) == (finding.status, finding.remedy)
    assert "8 updates in 2 s" in finding.statement
    assert "px.BTC published 3 ms before now, number 5" in finding.statement
    assert "px.ETH published 500 ms ahead of now, number 9" in finding.statement


def test_a_channel_that_said_nothing_yet_is_named():
    finding = found(update(), silent=("px.ETH", "px.SOL", "px.ADA", "px.XRP"))["updates"]

    assert Status.OK is finding.status
    assert "none yet of px.ETH, px.SOL, px.ADA and 1 more" in finding.statement


def test_frames_of_which_none_is_an_update_are_a_failure_that_shows_the_first():
    finding = found(frames=8, unmatched=8, first_unmatched='{"t": "px.BTC"}\x1b[2J')["updates"]

    assert Status.FAILURE is finding.status
    assert "8 frames came" in finding.statement
    assert '{"t": "px.BTC"}\ufffd[2J' in finding.statement
    assert "data.where" in finding.remedy


def test_a_part_that_is_not_understood_is_a_warning_that_shows_the_first():
    finding = found(update(), frames=6, unmatched=2, first_unmatched="x" * 5000)["updates"]

    assert Status.WARNING is finding.status
    assert "2 of 6 frames matched no rule" in finding.statement
    assert len(finding.statement) < 400


@pytest.mark.parametrize(
    ("frames", "said"), [(0, "no frame came within 2 s"), (3, "3 frames came within 2 s")]
)
def test_silence_is_a_warning_with_the_time_that_it_took(frames, said):
    finding = found(frames=frames)["updates"]

    assert Status.WARNING is finding.status
    assert said in finding.statement


@pytest.mark.parametrize(
    ("changes", "said", "remedy"),
    [
        ({"published_at": None}, "time.path ts leads to nothing in any of 4", "Correct time.path"),
        (
            {"published_at": None, "value": "1800000000123456", "fitting_unit": "us"},
            "leads to 1800000000123456, which is not a time in ms: is unit us?",
            "Set time.unit to us",
        ),
        (
            {"published_at": NOW + 1_795_735_000.0, "fitting_unit": "us"},
            "published 1,795,735,000 s ahead of now: is unit us?",
            "Set time.unit to us",
        ),
        ({"published_at": NOW - 200_000.0}, "published 200,000 s before now", "Correct time.path"),
        ({"published_at": NOW - 90.0}, "px.BTC: published 1 min 30 s before now", "both clocks"),
    ],
)
def test_a_time_that_cannot_be_right_is_told_with_the_unit_that_would_be(changes, said, remedy):
    finding = found(update(**changes))["time of publication"]

    assert Status.WARNING is finding.status
    assert said in finding.statement
    assert remedy in finding.remedy


def test_a_number_that_is_nowhere_is_told():
    finding = found(update(number=None))["sequence"]

    assert Status.WARNING is finding.status
    assert "seq holds a whole number in none of 4 updates" in finding.statement


def test_a_dialect_without_time_and_numbers_is_not_asked_for_them():
    findings = found(update(published_at=None, number=None), time=None, sequence=None)

    assert ["updates"] == list(findings)
    assert "px.BTC without time and number" in findings["updates"].statement
