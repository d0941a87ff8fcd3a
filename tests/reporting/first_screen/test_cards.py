from dataclasses import replace

import pytest

from capacity.domain.answers.sizing import Unanswered
from capacity.planning.advice.advice import advice
from capacity.planning.caveats.generator import generator_verdict
from capacity.reporting.first_screen.cards import excused_cards, planned_cards
from capacity.settings.demand import load_demand
from capacity.settings.hosts import load_hosts
from capacity.settings.locate import find


@pytest.fixture(scope="module")
def sized(record, plan):
    demand = load_demand(find("demand", "example"))
    hosts = load_hosts(find("hosts", "example"))
    return replace(plan, advice=advice(record, plan, demand, hosts))


def card(cards, heading):
    [found] = [each for each in cards if each.heading == heading]
    return found


def test_the_one_caveat_is_told_in_its_own_words(plan):
    found = card(planned_cards(plan), "Confidence")

    assert found.big == "Reduced"
    assert found.text.startswith("Unknown limit: The limit of tcp_memory could not be read.")


def test_several_caveats_are_named_once_each(plan):
    found = card(planned_cards(replace(plan, doubts=plan.doubts * 2)), "Confidence")

    assert found.text == "Unknown limit"


def test_no_caveat_names_what_is_assumed(plan):
    sound = replace(plan, doubts=(), assumptions=plan.doubts)
    found = card(planned_cards(sound), "Confidence")

    assert (found.big, found.text) == ("Good", "No caveats. Assumed: unknown limit.")


def test_what_is_extrapolated_too_far_is_invalid_with_its_factor(plan):
    far = replace(plan, binding=plan.ladder[1].resource, extrapolation_ratio=40.0)
    found = card(planned_cards(far), "Confidence")

    assert found.big == "Invalid"
    assert found.text == "Extrapolated 40 times the tested load; unknown limit"


def test_instances_come_with_price_and_date(sized):
    found = card(planned_cards(sized), "Instances and price")
    best = sized.advice.sizing.hosts[0]

    assert found.big == f"{best.instances} × {best.host}"
    assert found.text.startswith(
        f"{best.price_per_month:,.0f} USD per month. The 14 present instances like"
        " the tested host run out in 2030-07"
    )


def test_each_question_without_an_answer_says_so(plan, sized):
    why = Unanswered(reason="No host.", remedy="Give one.")
    unsized = replace(sized, advice=replace(sized.advice, sizing=why, arrival_cost=why))
    cards = planned_cards(unsized)

    assert card(planned_cards(plan), "Instances and price").big == "No demand given"
    assert card(planned_cards(plan), "Reconnect storm").big == "Not assessed"
    assert card(cards, "Instances and price").text == "No host."
    assert card(cards, "Reconnect storm").text == "No host."


def test_a_generator_is_healthy_or_may_be_the_limit(plan, excuse):
    spoiled = replace(plan, generator=excuse.generator)

    assert card(planned_cards(plan), "Load generator").big == "Healthy"
    assert card(planned_cards(spoiled), "Load generator").big == "May be the limit"
    unwatched = excused_cards(replace(excuse, generator=generator_verdict(())))
    assert card(unwatched, "Load generator").big == "Not known"
    assert card(excused_cards(excuse), "Load generator").text == "The worst timer lag was 80 ms."


def test_an_excuse_without_a_generator_does_not_invent_one(excuse):
    assert len(excused_cards(replace(excuse, generator=None))) == 1
