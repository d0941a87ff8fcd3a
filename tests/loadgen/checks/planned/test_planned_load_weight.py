"""What pollers may ask for, by the weight that the target lets one address have."""

from dataclasses import replace

import pytest

from capacity.domain.errors import PreflightError
from capacity.loadgen.checks.planned.planned_load import course_of
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.profile import ADAPTER
from capacity.settings.target import Rest, load_target

DEMO = load_target(find("targets", "demo"))
DERIBIT = load_dialect(find("dialects", DEMO.dialect))
BOOK = replace(
    DERIBIT,
    http=replace(DERIBIT.http, total_weight_per_s=50.0),
    rest={**DERIBIT.rest, "book": replace(DERIBIT.rest["book"], weight=5.0)},
)
"""Ten order books a second."""


def polled(**rest):
    return DEMO.model_copy(update={"rest": Rest(**{"operation": "book"} | rest)})


def asked(kind, each, **changes):
    mix = {"requests_per_s_per_connection": each}
    return ADAPTER.validate_python(
        {"profile": 1, "name": "p", "kind": kind, "mix": mix, "connects_per_s": 50} | changes
    )


@pytest.mark.parametrize(
    "most",
    [
        lambda n, each: asked("ramp", each, levels=[1, n]),
        lambda n, each: asked("sequence", each, steps=[{"connections": n}, {"connections": 1}]),
        lambda n, each: asked("break", each, start=1, limit=n),
    ],
    ids=["ramp", "sequence", "break"],
)
def test_a_profile_may_ask_for_all_of_the_weight_and_for_no_more(most):
    assert course_of(polled(), BOOK, most(100, 0.1), None)
    for profile in (most(101, 0.1), most(100, 0.1001)):
        with pytest.raises(PreflightError) as error:
            course_of(polled(), BOOK, profile, None)

        assert "of operation book, 5 each, weigh 50." in str(error.value)
        assert (
            "and http.total_weight_per_s of dialect deribit is 50 for all requests of a run by REST"
            in str(error.value)
        )


@pytest.mark.parametrize(("admitted", "most"), [(436, 99), (441, 100), (445, 100)])
def test_a_climb_ends_where_its_polls_have_all_the_weight(admitted, most):
    # A quarter of what is admitted, with a poller's socket for every ten connections.
    rules = course_of(polled(), BOOK, asked("safe", 0.1, connections=admitted), None).rules

    assert most == rules.most
    assert (admitted == 445) == ("http.total_weight_per_s of dialect deribit (50)" in rules.most_by)


def test_a_climb_whose_first_connection_asks_for_too_much_is_refused():
    assert 1 == course_of(polled(), BOOK, asked("safe", 10, connections=400), None).rules.most
    with pytest.raises(PreflightError, match=r"profile p: 10\.1 requests/s of operation book"):
        course_of(polled(), BOOK, asked("safe", 10.1, connections=400), None)


def test_what_nothing_bounds_may_ask_for_anything_and_the_target_s_own_rule_goes_first():
    many = asked("ramp", 1, levels=[40])

    assert course_of(polled(), DERIBIT, many, None)
    assert course_of(polled(total_weight_per_s=200), BOOK, many, None)
    with pytest.raises(PreflightError, match=r"rest\.total_weight_per_s of target demo is 199"):
        course_of(polled(total_weight_per_s=199), BOOK, many, None)
