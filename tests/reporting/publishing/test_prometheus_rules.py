from dataclasses import replace

import pytest
import yaml

from capacity.reporting.publishing.prometheus_rules import RULES_NAME, render, render_test


def alerts(about):
    (group,) = yaml.safe_load(render(about))["groups"]
    return [rule for rule in group["rules"] if "alert" in rule]


def test_alerts_stand_at_the_safe_capacity(about):
    by_name = {rule["alert"]: rule for rule in alerts(about)}

    assert by_name["ConnectionsAboveSafeCapacity"]["expr"].endswith("> 19208")
    assert by_name["ConnectionsNearSafeCapacity"]["expr"].endswith("> 0.8 * 19208")
    assert 'target="venue-1"' in by_name["CapacityPlanOld"]["expr"]


def test_a_limit_that_was_read_is_watched_and_one_that_was_declared_is_not(about):
    watched = [
        rule["labels"]["resource"]
        for rule in alerts(about)
        if rule["alert"] == "LimitBelowCapacityPlan"
    ]
    first, *rest = about.plan.ladder
    declared = replace(first, limit=replace(first.limit, scope="declared"))
    fewer = alerts(replace(about, plan=replace(about.plan, ladder=(declared, *rest))))

    assert watched == ["descriptors", "memory", "event_loop", "file_table"]
    assert len(fewer) == len(alerts(about)) - 1


@pytest.mark.parametrize("selector", ['job="feed"', ""])
def test_promtool_loads_the_rules_and_sees_each_alert_fire_where_it_has_to(
    about, selector, promtool, tmp_path
):
    published = replace(about, selector=selector)
    (tmp_path / RULES_NAME).write_text(render(published))
    (tmp_path / "test.yaml").write_text(render_test(published))

    assert "SUCCESS: 8 rules found" in promtool("check", "rules", str(tmp_path / RULES_NAME))
    assert "SUCCESS" in promtool("test", "rules", str(tmp_path / "test.yaml"))


def test_the_test_would_notice_a_wrong_rule(about, promtool, tmp_path):
    wrong = render(about).replace("> 19208", "> 29208")
    (tmp_path / RULES_NAME).write_text(wrong)
    (tmp_path / "test.yaml").write_text(render_test(about))

    with pytest.raises(AssertionError, match="FAILED"):
        promtool("test", "rules", str(tmp_path / "test.yaml"))


def test_no_text_of_the_plan_is_a_template(about):
    plan = replace(about.plan, run="{{ evil }}")

    assert all(
        "{{" not in rule["annotations"]["description"] for rule in alerts(replace(about, plan=plan))
    )
