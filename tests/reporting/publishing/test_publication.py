from dataclasses import replace

import pytest

from capacity.reporting.publishing.publication import dns_label


def test_each_instance_is_to_carry_the_safe_capacity_less_headroom(about):
    assert about.connections_per_instance == 14_406
    assert replace(about, headroom_ratio=0.0).connections_per_instance == 19_208
    assert replace(about, headroom_ratio=0.99999).connections_per_instance == 1


def test_the_reason_names_where_the_number_comes_from(about):
    assert about.reason == (
        "safe capacity 19208 connections (bottleneck: file descriptors; run"
        " 20260101-000000-venue), less 25% headroom"
    )


def test_what_was_measured_has_no_headroom_taken_off(about):
    assert about.measured == about.reason.partition(", less")[0]


def test_the_selector_is_part_of_the_series(about):
    assert about.series == 'capacity_application_connections{job="feed"}'
    assert replace(about, selector="").series == "capacity_application_connections"


@pytest.mark.parametrize(
    ("text", "label"),
    [("venue-1", "venue-1"), ("Mine_2.x", "mine-2-x"), ("--", "target"), ("x" * 80, "x" * 50)],
)
def test_any_name_becomes_a_dns_label(text, label):
    assert dns_label(text) == label
