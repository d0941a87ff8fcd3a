"""Published tables and the coefficients that were published with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.models.usl import ScalabilityLaw, scalability_law

CISCO = (
    955.16, 1878.91, 2688.01, 3548.68, 4315.54, 5130.43, 5931.37, 6531.08, 7219.8, 7867.61,
    8278.71, 8646.7, 9047.84, 9426.55, 9645.37, 9897.24, 10097.6, 10240.5, 10532.39, 10798.52,
    11151.43, 11518.63, 11806.0, 12089.37, 12075.41, 12177.29, 12211.41, 12158.93, 12155.27,
    12118.04, 12140.4, 12074.39,
)  # fmt: skip
"""Throughput of 1 to 32 threads: Schwartz, Practical Scalability Analysis with the USL, 2015."""
RAY_TRACER = {
    1: 20.0, 4: 78.0, 8: 130.0, 12: 170.0, 16: 190.0, 20: 200.0, 24: 210.0, 28: 230.0, 32: 260.0,
    48: 280.0, 64: 310.0,
}  # fmt: skip
"""Gunther, Guerrilla Capacity Planning, 2007, ch. 5; fitted in the vignette of R's usl 3.0."""
SPEC_SDM91 = {1: 64.9, 18: 995.9, 36: 1652.4, 72: 1853.2, 108: 1828.9, 144: 1775.0, 216: 1702.2}
"""Sun SPARCcenter 2000: Gunther, 2007, ch. 5; fitted in the vignette of R's usl 3.0."""

WITHIN = 2e-4


@pytest.mark.parametrize(
    ("concurrency", "throughput", "published"),
    [
        (range(1, 33), CISCO, (995.6486, 0.02671591, 7.690945e-4)),
        (RAY_TRACER.keys(), RAY_TRACER.values(), (21.848843, 0.057771, 0.0)),
    ],
    ids=["cisco", "ray tracer"],
)
def test_published_coefficients_are_met(concurrency, throughput, published):
    law = scalability_law(list(concurrency), list(throughput))

    assert (law.throughput_of_one, law.contention, law.coherency) == pytest.approx(
        published, rel=WITHIN, abs=1e-9
    )


def test_the_published_table_of_spec_is_met_to_the_digits_that_were_printed():
    law = scalability_law(list(SPEC_SDM91), list(SPEC_SDM91.values()))

    assert law.throughput_of_one == pytest.approx(89.9952382, rel=WITHIN)
    assert law.contention == pytest.approx(0.0277285, rel=WITHIN)
    assert round(law.coherency, 7) == 0.0001044


def test_the_published_peak_is_met():
    law = scalability_law(list(range(1, 33)), CISCO)

    assert max(range(1, 100), key=law.throughput) in {35, 36}
    assert law.throughput(35.0) == pytest.approx(12_341, rel=WITHIN)


@given(
    st.floats(1.0, 1e5),
    st.sampled_from([0.0, 0.01, 0.2, 0.9]),
    st.sampled_from([0.0, 1e-6, 1e-4, 1e-2]),
)
def test_a_planted_law_is_found(throughput_of_one, contention, coherency):
    truth = ScalabilityLaw(
        throughput_of_one=throughput_of_one, contention=contention, coherency=coherency
    )
    loads = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]
    found = scalability_law(loads, [truth.throughput(load) for load in loads])

    assert [found.throughput(load) for load in loads] == pytest.approx(
        [truth.throughput(load) for load in loads], rel=1e-5
    )


@given(st.lists(st.floats(1e-3, 1e6), min_size=4, max_size=12))
def test_any_throughput_gives_a_law_without_negative_costs(throughput):
    law = scalability_law(list(np.arange(1, len(throughput) + 1)), throughput)

    assert law.throughput_of_one > 0.0
    assert law.contention >= 0.0
    assert law.coherency >= 0.0


@pytest.mark.parametrize("throughput", [[1.0, 2.0, 3.0], [1.0, 2.0, 0.0, 3.0]])
def test_too_little_or_nothing_that_came_through_has_no_law(throughput):
    assert scalability_law([1.0, 2.0, 3.0, 4.0][: len(throughput)], throughput) is None


def test_without_coherency_throughput_never_peaks():
    law = ScalabilityLaw(throughput_of_one=10.0, contention=0.1, coherency=0.0)

    assert law.throughput(1e6) > law.throughput(1e5) > law.throughput(1e4)


def test_no_load_has_no_throughput_to_fit():
    assert scalability_law([0.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]) is None
