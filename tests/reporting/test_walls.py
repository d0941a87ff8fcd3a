import math
from dataclasses import replace

from capacity.reporting.walls import doubts_section, ladder_section, no_ceiling_section


def texts(section):
    return [[(cell.text, cell.note) for cell in row] for row in section.table.rows]


def test_a_wall_shows_its_limit_with_its_origin_and_its_cost_in_parts(plan):
    memory = texts(ladder_section(plan))[1]

    assert memory == [
        ("2", ""),
        ("memory of the target", ""),
        ("512 MiB", "process: /proc/4242/memory"),
        ("38 MiB", ""),
        ("111 MiB", "22 % of the limit"),
        ("15 KiB", "idle connection 13.9 KiB, deliveries 1.17 KiB"),
        ("32,300", "29,900 to 34,900 (90 %)"),
        ("3 %", ""),
        ("+3,760", ""),
        ("raise memory on the target (LimitNOFILE=)", ""),
    ]


def test_a_cost_that_is_all_idle_is_not_taken_apart(plan):
    descriptors = texts(ladder_section(plan))[0]

    assert descriptors[5] == ("1 descriptor", "all of it: idle connection")


def test_costs_that_were_not_told_apart_are_not_shown_apart(plan):
    wall = plan.ladder[1]
    together = replace(wall, cost=replace(wall.cost, separated=("connections",)))

    [row] = texts(ladder_section(replace(plan, ladder=(together,))))

    assert row[5] == ("15 KiB", "whole workload, not separable")


def test_what_was_told_apart_only_in_part_is_not_called_idle(plan):
    wall = plan.ladder[0]
    half = replace(wall, cost=replace(wall.cost, separated=("connections", "requests_per_s")))

    [row] = texts(ladder_section(replace(plan, ladder=(half,))))

    assert row[5] == ("1 descriptor", "all of it: connection including deliveries")


def test_a_wall_without_an_upper_end_says_how_many_fit_at_least(plan):
    wall = plan.ladder[1]
    guessed = replace(wall, ceiling=replace(wall.ceiling, low=700.0, mid=2_000.0, high=math.inf))
    unplaced = replace(guessed, ceiling=replace(guessed.ceiling, mid=math.inf), gain=None)

    rows = texts(ladder_section(replace(plan, ladder=(guessed, unplaced, unplaced))))

    assert rows[0][6] == ("2,000", "at least 700 (95 %)")
    assert rows[1][6] == ("at least 700", "at least 700 (95 %)")
    assert (rows[1][8], rows[2][8]) == (("not known", ""), ("last one known", ""))


def test_the_last_wall_has_no_gain(plan):
    assert texts(ladder_section(plan))[-1][8] == ("last one known", "")


def test_without_a_plan_there_is_no_wall(plan, excuse):
    for without in (excuse, replace(plan, ladder=())):
        section = ladder_section(without)

        assert section.table is None
        assert section.paragraphs == ("No bottleneck could be computed.",)


def test_every_doubt_comes_with_its_number_and_its_remedy(plan):
    assert texts(doubts_section(plan.doubts)) == [
        [
            ("unknown limit", ""),
            (plan.doubts[0].statement, ""),
            (plan.doubts[0].remedy, ""),
        ]
    ]


def test_no_doubt_is_said_too():
    assert doubts_section(()).paragraphs == ("No caveats.",)


def test_a_resource_without_ceiling_says_why(plan):
    assert texts(no_ceiling_section(plan)) == [
        [("connection-tracking table", ""), ("nf_conntrack is not loaded", ""), ("not read", "")],
        [
            ("CPU of the target", ""),
            ("no quota is set", ""),
            ("unlimited", "cgroup: /sys/fs/cgroup/cpu.max"),
        ],
    ]


def test_no_resource_without_ceiling_is_said_too(plan, excuse):
    assert no_ceiling_section(replace(plan, no_ceiling=())).paragraphs == ("None.",)
    assert no_ceiling_section(excuse).table is None
