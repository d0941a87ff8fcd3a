"""Values by name, the subject that they are about, and rates of counters."""

import pytest

from capacity.domain.errors import ConfigError
from capacity.monitor.readings import Reading
from capacity.sources.metrics.series import AbsentError, Rates, Series, Values, read_all, subject


def series(value, *, at=100.0, name="m", **labels):
    return Series(name=name, labels=labels, value=value, at=at)


def test_a_value_is_found_by_name_and_labels():
    values = Values([series(1, mode="user"), series(2, mode="system"), series(3, name="n")])

    assert 2 == values.value("m", mode="system")
    assert 3 == values.value("n")
    assert [1, 2] == [each.value for each in values.all("m")]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "m is not among the metrics"),
        ([series(1, a="1"), series(2, a="2")], "m is 2 among the metrics"),
        ([series(float("nan"))], "m is nan"),
        ([series(float("inf"))], "m is inf"),
        ([series(1e300)], r"m is 1e\+300"),
        ([series(1, at=40.0)], "m was 10 s too old to use"),
    ],
)
def test_a_value_that_cannot_be_used_says_why(found, said):
    with pytest.raises(AbsentError, match=f"^{said}$"):
        Values(found, oldest_at=50.0).value("m")


def test_a_rate_is_the_growth_of_the_sum_by_the_counters_own_times():
    rates = Rates()
    with pytest.raises(AbsentError, match="first reading"):
        rates.per_s("m", [series(10, at=100.0, mode="user"), series(5, at=100.0, mode="system")])

    assert 2.0 == rates.per_s("m", [series(12, at=104.0, mode="user"), series(11, at=104.0)])


def test_a_counter_that_fell_or_stood_still_in_time_has_no_rate_but_the_next_has():
    rates = Rates()
    for value, at, said in ((10, 1.0, "first"), (3, 2.0, "started anew"), (4, 2.0, "not read")):
        with pytest.raises(AbsentError, match=said):
            rates.per_s("m", [series(value, at=at)])

    assert 6.0 == rates.per_s("m", [series(10, at=3.0)])


def test_the_subject_has_the_labels_that_were_asked_for():
    found = [series(1, group="a", host="x"), series(1, group="b", host="x"), series(1, name="n")]

    assert {"group": "b", "host": "x"} == subject(found, "m", {"group": "b"}, key="k", origin="o")
    assert subject(found, "m", {"group": "c"}, key="k", origin="o") is None


def test_several_subjects_are_listed_with_the_key_that_tells_them_apart():
    found = [series(1, group=str(n), host="x") for n in range(7)]
    with pytest.raises(
        ConfigError,
        match=r"^o: 7 series of m fit \(group=0 \| group=1 \| .* and 2 more\); name labels .* in k of",
    ):
        subject(found, "m", {"host": "x"}, key="k", origin="o")


def test_a_reader_without_its_value_leaves_its_reason_and_the_others_go_on():
    readers = (
        (("a", "b"), lambda values, _rates: Reading(gauges={"a": values.value("none")})),
        (("c",), lambda values, _rates: Reading(gauges={"c": values.value("m")})),
    )
    first, second = read_all(readers, Values([series(1)]), Rates())

    assert dict.fromkeys("ab", "none is not among the metrics") == first.missing
    assert {"c": 1} == second.gauges
