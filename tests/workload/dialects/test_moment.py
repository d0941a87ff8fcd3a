"""Times of publication."""

import pytest

from capacity.workload.dialects.moment import Time, clock_by, clock_of


@pytest.mark.parametrize(
    ("unit", "value", "at_s"),
    [
        ("s", 1655395057, 1655395057.0),
        ("ms", 1655395057025, 1655395057.025),
        ("ms", "1626537446491", 1626537446.491),
        ("ms", 1655395057025.5, 1655395057.0255),
        ("us", 1655391709417993, 1655391709.417993),
        ("ns", 1655391709417993000, 1655391709.417993),
        ("rfc3339", "2023-10-06T17:35:55.440295Z", 1696613755.440295),
        ("rfc3339", "2023-02-09T20:32:50.714964855Z", 1675974770.714964),
        ("rfc3339", "2023-10-06T19:35:55+02:00", 1696613755.0),
    ],
)
def test_a_time_is_read_in_its_unit(unit, value, at_s):
    read = clock_by(Time(path="ts", unit=unit))({}, {"ts": value})

    assert read == pytest.approx(at_s, abs=1e-6)


@pytest.mark.parametrize(
    ("item", "at_s"),
    [
        ({"ts": 1655395057025}, 1655395057.025),
        ({"ts": 1655395057025000000}, 1655395057.025),
        ({"at": 1655395058}, 1655395058.0),
        ({"ts": 1655395057025, "at": 1655395058}, 1655395057.025),
        ({"by": 1}, None),
    ],
)
def test_of_several_times_the_first_that_there_is_counts(item, at_s):
    times = [Time(path="ts", unit="ms"), Time(path="ts", unit="ns"), Time(path="at", unit="s")]

    assert pytest.approx(at_s) == clock_of(times)({}, item)
    assert clock_of([]) is None


@pytest.mark.parametrize(
    ("unit", "item"),
    [
        ("ms", {}),
        ("ms", []),
        ("ms", {"ts": None}),
        ("ms", {"ts": True}),
        ("ms", {"ts": "soon"}),
        ("ms", {"ts": "nan"}),
        ("ms", {"ts": "inf"}),
        ("ms", {"ts": "9" * 5000}),
        ("ms", {"ts": 0}),
        ("ms", {"ts": -5}),
        ("s", {"ts": 1655395057025}),
        ("rfc3339", {"ts": 1655395057}),
        ("rfc3339", {"ts": "yesterday"}),
        ("rfc3339", {"ts": "2023-10-06T17:35:55"}),
    ],
)
def test_a_time_that_cannot_be_is_absent(unit, item):
    assert clock_by(Time(path="ts", unit=unit))({}, item) is None
