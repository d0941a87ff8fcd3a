import json

import pytest
import yaml

from capacity.reporting.publishing.grafana import render


@pytest.fixture
def dashboard(about):
    return json.loads(render(about))


def test_panels_have_a_place_of_their_own_on_the_grid(dashboard):
    taken = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert taken.isdisjoint(cells)
        taken |= cells
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_every_panel_asks_the_data_source_that_is_chosen(dashboard):
    (variable,) = dashboard["templating"]["list"]
    sources = [
        target["datasource"]["uid"]
        for panel in dashboard["panels"]
        for target in (panel, *panel["targets"])
    ]

    assert variable["type"] == "datasource"
    assert set(sources) == {f"${{{variable['name']}}}"}


def test_prometheus_understands_every_query(dashboard, promtool, tmp_path):
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))

    assert f"{len(queries)} rules found" in promtool("check", "rules", str(path))


def test_the_same_target_keeps_its_dashboard(about, dashboard):
    assert dashboard["uid"] == json.loads(render(about))["uid"]
    assert len(dashboard["uid"]) <= 40
    assert dashboard["title"] == "Capacity of venue-1"


def test_queries_ask_for_metrics_that_are_published(about, dashboard):
    from capacity.reporting.publishing.prometheus_rules import render as rules
    from capacity.reporting.publishing.prometheus_text import render as text

    published = text(about) + rules(about)
    asked = [
        word
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for word in target["expr"].replace("(", " ").replace("{", " ").split()
        if word.startswith("capacity")
    ]

    assert asked
    assert [] == [name for name in asked if name not in published]
