import pytest

from capacity.domain import units
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


@pytest.mark.parametrize(
    ("numbered", "mismatched", "told"),
    [
        (0, 0, "checksum fits the book in none of 4 updates: missing updates would go unnoticed"),
        (
            4,
            1,
            "1 of 4 checksums do not fit the book: the target leaves updates out, or book of sequence in the dialect keeps it wrong",
        ),
    ],
)
def test_checksums_that_do_not_fit_are_a_warning_that_names_the_book(numbered, mismatched, told):
    heard = {"numbered": numbered, "mismatched": mismatched, "sequence": "checksum"}
    finding = found(update(number=None), is_checksum=True, **heard)["checksum"]

    assert (Status.WARNING, told) == (finding.status, finding.statement)
    assert "depth as it is subscribed to" in finding.remedy


def test_checksums_that_fit_are_no_finding_of_their_own():
    assert ["updates"] == list(found(update(number=None), is_checksum=True, numbered=4))


@pytest.mark.parametrize(
    ("gaps", "whose"),
    [
        (1, "the target leaves them out, or rule or scope of sequence in the dialect is wrong"),
        (2, "so often that rule or scope of sequence in the dialect is wrong, rather than the"),
    ],
)
def test_gaps_are_a_warning_with_their_number_and_whose_fault_it_may_be(gaps, whose):
    finding = found(update(), missed=7, gaps=gaps)["sequence"]

    assert Status.WARNING is finding.status
    assert (
        f"7 updates missing by seq, at {units.counted(gaps, 'gap')} in 4 numbered"
        in finding.statement
    )
    assert whose in finding.statement
    assert "`capacity dialect try`" in finding.remedy


def test_numbers_without_gaps_are_no_finding_of_their_own():
    assert ["updates"] == list(found(update()))


def test_a_book_beside_numbers_warns_of_both():
    assert {"updates", "checksum", "sequence"} == set(
        found(update(), mismatched=1, missed=1, gaps=1)
    )


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


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "leads to nothing"), ("'noon'", "leads to 'noon', no time in ms")],
)
def test_a_channel_that_comes_without_time_beside_others_is_told(value, said):
    undated = update(channel="px.ETH", published_at=None, value=value)
    finding = found(update(), undated)["time of publication"]

    assert "updates of px.ETH come without: time.path ts " + said in finding.statement
    assert "not measured" in finding.statement
    assert "nothing is to be done" in finding.remedy


def test_a_dialect_without_time_and_numbers_is_not_asked_for_them():
    findings = found(update(published_at=None, number=None), time=None, sequence=None)

    assert ["updates"] == list(findings)
    assert "px.BTC without time and number" in findings["updates"].statement


@pytest.mark.parametrize(("updates", "status"), [(0, Status.FAILURE), (3, Status.WARNING)])
def test_a_connection_that_ended_meanwhile_is_told_with_why(updates, status):
    ended = ("a message is too large", "raise the bound")
    findings = found(frames=updates, updates=updates, seconds=0.2, ended=ended)
    first = findings.pop("connection")

    assert (status, "Raise the bound") == (first.status, first.remedy)
    assert "ended 200 ms after it was confirmed: a message is too large" in first.statement
    assert bool(findings) is bool(updates)


@pytest.mark.parametrize(
    ("age_s", "said"),
    [
        (60.0, None),
        (60.5, "px.BTC: published 1 min before now"),
        (-60.5, "px.BTC: published 1 min ahead of now"),
        (86_400.0, "px.BTC: published 24 h 0 min before now"),
        (86_401.0, "published 86,401 s before now"),
        (-86_401.0, "published 86,401 s ahead of now"),
    ],
)
def test_a_minute_apart_is_the_most_and_a_day_is_another_unit(age_s, said):
    finding = found(update(published_at=NOW - age_s)).get("time of publication")

    assert said == (None if finding is None else finding.statement)


def test_three_channels_are_shown_each_in_so_many_letters():
    updates = [update(f"channel {n} " + "x" * 300) for n in range(4)]
    statement = found(*updates)["updates"].statement
    names = statement.split("the last: ")[1].split("; ")

    assert [name.partition(" published")[0] for name in names] == [
        (f"channel {n} " + "x" * 300)[:119] + "…" for n in range(3)
    ]


def test_three_silent_channels_are_all_named():
    finding = found(update(), silent=("a", "b", "y" * 300))["updates"]

    assert finding.statement.endswith("none yet of a, b and " + "y" * 119 + "…")


def test_a_hint_replaces_the_usual_remedy():
    some = found(update(), unmatched=2, hint="read it as gzip")["updates"]
    none = found(frames=8, unmatched=8, hint="read it as gzip")["updates"]

    assert some.remedy == none.remedy == "Read it as gzip"
    assert "Add a rule" in found(update(), unmatched=2)["updates"].remedy


def test_a_value_of_no_time_and_a_path_are_shown_in_so_many_letters():
    value = found(update(published_at=None, value="v" * 300))["time of publication"]
    number = found(update(number=None), sequence="s" * 300)["sequence"]

    assert "leads to " + "v" * 119 + "…, which is not a time in ms" in value.statement
    assert number.statement.startswith("s" * 119 + "… holds")
