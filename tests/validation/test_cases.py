"""The sets cover what they say, and a case of each, small, goes from the plan to the breaking."""

import os
import runpy
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from ipaddress import ip_network
from pathlib import Path

import pytest

ONCE = {"hidden cap", "unseen mix"}
"""Limits of which another size says nothing new, or takes eight minutes to say."""
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def driver():
    """Run the driver's modules as `make validate` does, with their folder on the path."""
    sys.path.insert(0, str(HERE))
    try:
        yield runpy.run_path(str(HERE / "run.py"))
    finally:
        sys.path.remove(str(HERE))
        for path in HERE.glob("*.py"):
            name = path.stem
            sys.modules.pop(name, None)


def told(driver):
    results = driver["results"]
    return results.read(results.TOLD)


def test_each_name_is_one_case_and_there_are_at_least_forty(driver):
    names = [case.name for case in driver["all_cases"]()]

    assert len(names) == len(set(names)) >= 40


def test_the_first_ones_have_every_class_of_limit_and_every_server(driver):
    cases = driver["all_cases"]()
    first = [case for case in cases if (case.seed, case.fraction) == (1, 0.25)]

    assert cases[: len(first)] == first
    assert {case.limit for case in first} == {case.limit for case in cases}
    assert {case.server for case in first} == {case.server for case in cases}


def test_no_safe_run_goes_beyond_its_fraction(driver):
    for case in driver["all_cases"]():
        profile = driver["predict"].__globals__["profile_of"](case)
        if case.breaking in {"stall", "storm"}:
            assert profile["connects_per_s"] <= round(case.expected * case.fraction)
        elif profile["kind"] == "safe":
            assert profile["fraction"] <= 0.25
        else:
            assert max(profile["levels"]) <= round(case.expected * case.fraction)


def test_each_limit_is_planted_from_a_quarter_and_from_half_in_three_sizes(driver):
    for limit in {case.limit for case in driver["all_cases"]()} - ONCE:
        cases = [case for case in driver["all_cases"]() if case.limit == limit]

        assert {case.fraction for case in cases} == {0.25, 0.5}, limit
        assert {case.seed for case in cases} == {1, 2, 3}, limit


def test_no_case_that_was_examined_is_dropped(driver):
    names = {case.name for case in driver["all_cases"]()}

    assert names >= {result["case"] for result in told(driver)}


def test_the_first_round_as_shipped_has_every_kind_and_each_kind_has_two_servers(driver):
    cases = driver["cases_as_shipped"]()
    names = [case.name for case in cases]
    kinds = {case.kind for case in cases}

    assert len(names) == len(set(names))
    assert {case.kind for case in cases if case.round == 1} == kinds
    for kind in kinds:
        assert len({case.server for case in cases if case.kind == kind}) >= 2, kind


def test_at_least_24_cases_as_shipped_are_of_the_set_that_was_told(driver):
    sizes = {(case.limit, case.server, case.seed) for case in driver["all_cases"]()}
    old = [
        case
        for case in driver["cases_as_shipped"]()
        if (case.limit, case.server, case.seed) in sizes
    ]

    assert len(old) >= 24


def test_those_that_may_have_company_of_a_round_come_first(driver):
    turns = driver["in_turn"](driver["cases_as_shipped"]())

    assert [lanes for lanes, _ in turns] == [2, 1, 2, 1]
    assert sum(len(cases) for _, cases in turns) == len(driver["cases_as_shipped"]())


def test_two_cases_at_a_time_have_networks_of_their_own(driver):
    network = sys.modules["network"]
    pairs = [network.addresses(pid) for pid in range(1000, 2000)]

    assert len({address for pair in pairs for address in pair}) == 2000
    for host, guest in pairs[:64]:
        assert ip_network(f"{host}/30", strict=False) == ip_network(f"{guest}/30", strict=False)


def test_nothing_that_the_product_gets_as_shipped_follows_from_the_truth(driver):
    target_of = driver["predict"].__globals__["target_of"]
    for case in driver["cases_as_shipped"]():
        elsewhere = replace(case, expected=7 * case.expected, fraction=0.5)

        assert target_of(case, "h", 1, "u", "d") == target_of(elsewhere, "h", 1, "u", "d")


def test_limits_are_declared_only_where_the_case_is_one_of_a_declared_limit(driver):
    target_of = driver["predict"].__globals__["target_of"]
    declaring = {
        case.limit
        for case in driver["cases_as_shipped"]()
        if target_of(case, "h", 1, "u", "d")["limits"]
    }

    assert declaring == {"application cap", "near tie"}


def test_truths_are_taken_over_only_from_the_same_server_limit_and_sizes(driver):
    results = driver["results"]
    rows = [
        {"case": "descriptors-nginx-25-1", "truths": [1189, 1189]},
        {"case": "descriptors-nginx-50-1", "truths": [1188]},
        {"case": "descriptors-nginx-25-3", "truths": [7], "seed": 3},
        {"case": "memory-aiohttp-50-1", "truths": [9], "server": "aiohttp", "limit": "memory"},
    ]
    rows = [{"server": "nginx", "limit": "descriptors", "seed": 1, **row} for row in rows]
    cases = {case.name: case for case in driver["cases_as_shipped"]()}
    nginx = cases["descriptors-nginx-1"]
    aiohttp = replace(nginx, server="aiohttp", limit="memory")

    assert results.recorded_truths(nginx, rows) == [1189, 1189, 1188]
    assert results.recorded_truths(aiohttp, rows) == []  # Recorded with other sizes.


def test_as_shipped_a_case_is_done_for_one_commit_and_profile(driver):
    [case, *_] = driver["cases_as_shipped"]()
    now = {"commit": "a", "profile_sha256": "b"}

    assert driver["is_done"](case, [{"case": case.name, **now}], now)
    assert not driver["is_done"](case, [{"case": case.name, **now, "commit": "c"}], now)
    assert not driver["is_done"](replace(case, seed=9), [{"case": case.name, **now}], now)


def test_the_newest_result_of_a_case_counts_and_none_is_replaced(driver, tmp_path):
    results, file = driver["results"], tmp_path / "results.jsonl"
    for truth in (1, 2):
        results.append(file, {"case": "one", "truth": truth})
    results.append(file, {"case": "two", "truth": 3})
    newest, counts = results.latest(results.read(file))

    assert [result["truth"] for result in newest] == [2, 3]
    assert counts == {"one": 2, "two": 1}
    assert len(results.read(file)) == 3


@pytest.mark.end_to_end
@pytest.mark.long
@pytest.mark.xdist_group("caps")
@pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/sys/fs/cgroup/pids").is_dir(),
    reason="takes root and version 1 cgroups",
)
def test_a_planted_limit_of_tasks_is_named_and_found_where_the_server_breaks(driver):
    [case] = [each for each in driver["all_cases"]() if each.name == "tasks-threads-25-1"]
    result = driver["examine"](replace(case, tasks=300, expected=298, plateau_s=2))

    assert result["prediction"]["binding"] == "threads"
    assert result["prediction"]["capacity"]["mid"] == pytest.approx(result["truth"], rel=0.01)
    assert result["truths"] == [result["truth"]] * 3
    assert not result["prediction"]["target_failed"]
    assert len(result["sha256"]) == 64


@pytest.mark.end_to_end
@pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/sys/fs/cgroup/pids").is_dir(),
    reason="takes root and version 1 cgroups",
)
def test_a_server_breaks_where_its_own_pollers_take_a_share_of_the_descriptors(driver, tmp_path):
    [case] = [e for e in driver["cases_as_shipped"]() if e.name == "descriptors-aiohttp-1"]
    small = replace(case, descriptors=212, expected=200, polls_per_s=0.05)

    [truth] = driver["broken"](small, tmp_path, 1)

    # Seven descriptors are the server's own; without pollers it would hold 205.
    assert truth == pytest.approx((212 - 7) / 1.05, abs=3)


def test_a_server_that_breaks_before_the_first_count_is_broken_again_from_half_of_it(
    driver, tmp_path, monkeypatch
):
    [case] = [e for e in driver["cases_as_shipped"]() if e.name == "memory at a fifth-node-1"]
    starts = []

    def break_once(_case, _folder, _n, start):
        starts.append(start)
        return 0 if start > 500 else 700

    monkeypatch.setitem(driver["broken"].__globals__, "break_once", break_once)

    assert driver["broken"](case, tmp_path, 1) == [700]
    assert starts == [600, 300]


@pytest.mark.end_to_end
@pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/sys/fs/cgroup/pids").is_dir() or not shutil.which("mosquitto"),
    reason="takes root, version 1 cgroups and mosquitto",
)
def test_a_broker_is_broken_where_its_descriptors_end_and_its_updates_arrive_up_to_there(
    driver, tmp_path
):
    [case] = [e for e in driver["cases_as_shipped"]() if e.name == "descriptors-mosquitto-1"]
    small = replace(case, descriptors=72, expected=95, hold_s=0.6, updates_per_s=10.0)

    [truth] = driver["broken"](small, tmp_path, 1)

    # Its own descriptors and the publisher's.
    assert truth == pytest.approx(72 - 10, abs=3)


def test_each_protocol_is_spoken_by_breaker_and_product(driver):
    spoken, dialects = import_module("spoken"), driver["predict"].__globals__["DIALECTS"]
    protocols = {case.protocol for case in driver["cases_as_shipped"]()}

    assert protocols == {*dialects, "json"} == set(spoken.PROTOCOLS)


def test_a_pattern_that_no_case_has_runs_nothing():
    finished = subprocess.run(
        [sys.executable, str(HERE / "run.py"), "no-such-case"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert finished.stdout == ""
