import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.resource_facts import COUNTED, PROCESS_BYTES
from capacity.domain.resources import Resource
from capacity.models.uncertainty.intervals import Form, even_normals, form_of, form_sigma

Z_90, Z_80 = 1.6448536, 1.2815516


@pytest.mark.parametrize(
    ("form", "ratio", "z", "factor"),
    [
        (Form.MEMORY, 4.0, Z_90, 1.08),
        (Form.UTILIZATION, 2.0, Z_80, 1.025),
        (Form.UTILIZATION, 4.0, Z_80, 1.042),
    ],
)
def test_the_published_misses_are_met(form, ratio, z, factor):

    assert math.exp(z * form_sigma(form, ratio)) == pytest.approx(factor)


def test_the_conversion_of_the_docstring_is_that_of_the_code():

    assert math.exp(Z_90 * form_sigma(Form.UTILIZATION, 2.0)) == pytest.approx(1.032, abs=0.0005)
    assert math.exp(Z_90 * form_sigma(Form.UTILIZATION, 4.0)) == pytest.approx(1.054, abs=0.0005)


@given(ratio=st.floats(0.0, 1000.0))
def test_a_count_has_no_form_to_be_wrong_about(ratio):

    assert form_sigma(Form.COUNTED, ratio) == 0.0


@given(form=st.sampled_from(Form), ratio=st.floats(0.1, 100.0), further=st.floats(1.0, 10.0))
def test_reaching_further_is_never_surer_yet_never_lowers_the_safe_end(form, ratio, further):
    near, far = form_sigma(form, ratio), form_sigma(form, ratio * further)

    assert far >= near - 1e-12
    assert ratio * further * math.exp(-Z_90 * far) >= ratio * math.exp(-Z_90 * near) - 1e-9


def test_every_resource_has_a_form_and_counts_are_counted():

    assert {r for r in Resource if form_of(r) is Form.COUNTED} == COUNTED


@pytest.mark.parametrize("resource", sorted(PROCESS_BYTES))
def test_what_one_process_holds_is_forecast_as_memory(resource):
    assert form_of(resource) is Form.MEMORY


def test_even_normals_have_the_quantiles_of_the_normal_distribution():
    values = even_normals(1000, np.random.default_rng(1))

    assert np.quantile(values, [0.05, 0.5, 0.95]) == pytest.approx([-1.645, 0.0, 1.645], abs=0.01)


@pytest.mark.parametrize(
    ("form", "ratio", "sigma"),
    [
        (Form.MEMORY, 1.0, 0.0),
        (Form.MEMORY, 0.5, 0.0),
        (Form.MEMORY, 2.0, math.log(1.08) / Z_90 / 2),
        (Form.MEMORY, 8.0, math.log(1.08) / Z_90 * 1.5),
        (Form.UTILIZATION, 16.0, math.log(1.5) / Z_80),
        (Form.UTILIZATION, 8.0, (math.log(1.5) + math.log(1.042)) / 2 / Z_80),
        (Form.UTILIZATION, 32.0, (1.5 * math.log(1.5) - 0.5 * math.log(1.042)) / Z_80),
    ],
)
def test_between_the_entries_it_grows_with_the_logarithm_of_the_reach(form, ratio, sigma):
    assert form_sigma(form, ratio) == pytest.approx(sigma, rel=1e-6, abs=1e-12)


def test_even_normals_stand_in_the_middle_of_their_ranks():
    values = even_normals(2, np.random.default_rng(1))

    assert sorted(values) == pytest.approx([-0.6744898, 0.6744898])
