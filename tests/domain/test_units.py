import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain import units
from capacity.domain.estimates import Estimate
from capacity.domain.resources import Resource


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (1, "1"),
        (0.5, "0.5"),
        (12_345.6, "12,346"),
        (999.6, "1,000"),
        (0.000123456, "0.000123"),
        (-2.5, "-2.5"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (math.nan, "not known"),
    ],
)
def test_a_number_has_three_digits_and_no_exponent(value, expected):
    text = units.number(value)

    assert text == expected


@given(st.floats(min_value=1e-9, max_value=1e15))
def test_a_number_is_off_by_half_a_unit_of_its_third_digit_at_most(value):
    shown = float(units.number(value).replace(",", ""))

    assert shown == pytest.approx(value, rel=0.0051)


def test_people_count_steps_from_one():
    assert ["1", "11"] == [units.step_number(index) for index in (0, 10)]


@pytest.mark.parametrize(
    ("value_bytes", "expected"),
    [
        (0, "0 bytes"),
        (1023, "1,023 bytes"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (16 * 1024**3, "16 GiB"),
        (-2048, "-2 KiB"),
        (math.inf, "∞ bytes"),
    ],
)
def test_bytes_have_binary_prefixes(value_bytes, expected):
    text = units.size(value_bytes)

    assert text == expected


@pytest.mark.parametrize(
    ("value_bytes", "expected"), [(10, (1.0, "bytes")), (3 * 1024**2, (1024.0**2, "MiB"))]
)
def test_an_axis_of_bytes_has_one_unit(value_bytes, expected):
    unit = units.size_prefix(value_bytes)

    assert unit == expected


@pytest.mark.parametrize(
    ("value_s", "expected"),
    [
        (0, "0 s"),
        (0.00085, "850 µs"),
        (0.0034, "3.4 ms"),
        (-0.25, "-250 ms"),
        (59.94, "59.9 s"),
        (120, "2 min"),
        (125, "2 min 5 s"),
        (7_260, "2 h 1 min"),
    ],
)
def test_durations_are_shown_in_the_unit_that_fits(value_s, expected):
    text = units.duration(value_s)

    assert text == expected


def test_milliseconds_are_bare_numbers():
    assert units.milliseconds(0.0089) == "8.9"


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (0, "0 %"),
        (0.004, "< 1 %"),
        (0.25, "25 %"),
        (0.998, "> 99 %"),
        (1, "100 %"),
        (math.inf, "∞"),
    ],
)
def test_a_share_never_rounds_the_possible_away(ratio, expected):
    text = units.share(ratio)

    assert text == expected


@pytest.mark.parametrize(
    ("value", "resource", "expected"),
    [
        (1, Resource.DESCRIPTORS, "1 descriptor"),
        (20_000, Resource.DESCRIPTORS, "20,000 descriptors"),
        (1, Resource.CONNTRACK, "1 entry"),
        (1536, Resource.MEMORY, "1.5 KiB"),
        (1024**2, Resource.NETWORK_OUT, "1 MiB/s"),
        (0.25, Resource.DELIVERY_DELAY, "250 ms"),
        (1, Resource.CPU, "1 core"),
        (2.5, Resource.CPU, "2.5 cores"),
        (0.000028, Resource.EVENT_LOOP, "0.028 millicores"),
    ],
)
def test_amounts_carry_the_unit_of_their_resource(value, resource, expected):
    text = units.amount(value, resource)

    assert text == expected


def test_every_resource_has_amounts():
    texts = [units.amount(7, resource) for resource in Resource]

    assert all(text.startswith("7 ") for text in texts)


def test_counts_and_rates_name_what_they_count():
    texts = (
        units.count(math.inf),
        units.counted(1, "step"),
        units.counted(2, "step"),
        units.rate(0.25, "requests"),
    )

    assert texts == ("∞", "1 step", "2 steps", "0.25 requests/s")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (1_767_225_600.0, "2026-01-01 00:00:00 UTC"),
        (math.nan, "not known"),
        (1e300, "1,000,000,000"),
    ],
)
def test_moments_are_in_utc_and_never_fail(at, expected):
    text = units.moment(at)

    assert text.startswith(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(999, "999"), (8_551, "8,550"), (1_024_466, "1,020,000"), (math.inf, "∞")],
)
def test_what_follows_from_estimates_has_three_digits(value, expected):
    assert units.about(value) == expected


def test_more_than_anybody_needs_is_not_spelt_out():
    assert units.about(0.999e9) == "999,000,000"
    assert units.about(1e9) == "1 billion or more"
    assert units.about(math.inf) == "∞"
    assert units.middle(Estimate.exactly(1.79e15)) == "1 billion or more"


def test_a_wide_estimate_has_three_digits():
    estimate = Estimate(low=29_012.3, mid=32_256.0, high=35_816.0, confidence=0.9)

    texts = (units.middle(estimate), units.interval(estimate))

    assert texts == ("32,300", "29,000 to 35,800 (90 %)")


def test_a_narrow_estimate_keeps_its_digits():
    estimate = Estimate(low=19_947.0, mid=19_948.0, high=19_950.0, confidence=0.9)

    texts = (units.middle(estimate), units.interval(estimate))

    assert texts == ("19,948", "19,947 to 19,950 (90 %)")


def test_without_an_upper_end_it_is_said_how_many_there_are_at_least():
    guessed = Estimate(low=712.4, mid=2_040.0, high=math.inf, confidence=0.9)
    unplaced = Estimate(low=712.4, mid=math.inf, high=math.inf, confidence=0.9)

    assert (units.middle(guessed), units.interval(guessed)) == ("2,040", "at least 712 (95 %)")
    assert (units.middle(unplaced), units.interval(unplaced)) == (
        "at least 712",
        "at least 712 (95 %)",
    )


def test_what_was_counted_is_exact():
    estimate = Estimate.exactly(972)

    texts = (units.middle(estimate), units.interval(estimate))

    assert texts == ("972", "exact")


@given(
    st.tuples(*[st.floats(min_value=0, max_value=999e6)] * 3).map(sorted),
)
def test_rounding_keeps_the_order_of_an_interval(bounds):
    low, mid, high = bounds
    estimate = Estimate(low=low, mid=mid, high=high, confidence=0.9)

    text = units.interval(estimate)
    ends = (
        [low, high]
        if text == "exact"
        else [float(end.replace(",", "")) for end in text.removesuffix(" (90 %)").split(" to ")]
    )

    assert ends[0] <= float(units.middle(estimate).replace(",", "")) + 0.5
    assert float(units.middle(estimate).replace(",", "")) <= ends[1] + 0.5
