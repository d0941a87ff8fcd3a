"""Scores of planted results as shipped, and the tables that show them."""

import runpy
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def modules():
    sys.path.insert(0, str(HERE))
    try:
        names = ("scores_as_shipped", "table_as_shipped", "evidence", "watch", "table")
        yield {name: runpy.run_path(str(HERE / f"{name}.py")) for name in names}
    finally:
        sys.path.remove(str(HERE))
        for path in HERE.glob("*.py"):
            sys.modules.pop(path.stem, None)


HARM = {
    "seconds": 60.0,
    "target_died": False,
    "oom_kills": 0,
    "throttled_s": 0.0,
    "memory_share": None,
    "cpu_share": None,
    "highest_opened": 25,
    "highest_held": 20,
    "lowest_failed": None,
    "refusals": 0,
}


def result(mid, truth=100, *, doubts=(), kind="memory", width=0.0, **harm):
    return {
        "case": f"{kind}-{mid}",
        "server": "aiohttp",
        "kind": kind,
        "binding": "memory",
        "commit": "0123456789",
        "prediction": {
            "capacity": {"low": mid - width, "mid": mid, "high": mid + width},
            "binding": "memory",
            "ladder": [("memory", mid, 0.5)],
            "doubts": list(doubts),
            "measure_exit_code": 0,
            "measure_said": [],
            "target_failed": harm.get("target_died", False),
        },
        "harm": {**HARM, **harm},
        "truths": [truth],
        "truth": truth,
    }


def silent(**harm):
    found = result(1, **harm)
    prediction = {"excuse": "too little", "measure_exit_code": 4, "measure_said": []}
    return {**found, "prediction": {**prediction, "target_failed": False}}


def test_a_doubt_on_most_answers_says_nothing_particular(modules):
    results = [
        result(100, doubts=["shared_host"]),
        result(100, doubts=["shared_host", "rising"]),
        result(100),
        silent(),
    ]

    assert modules["scores_as_shipped"]["particular"](results[:2]) == {"rising"}
    assert "shared_host" not in modules["scores_as_shipped"]["particular"](results)


def test_too_high_by_a_fifth_counts_unless_something_particular_is_doubted(modules):
    results = [result(121), result(119), result(150, doubts=["rising"]), silent()]
    scores = modules["scores_as_shipped"]["answers_of"](results, {"rising"})

    assert (4, 3, 1) == (scores["cases"], scores["answered"], scores["silently_too_high"])


@pytest.mark.parametrize(
    ("changes", "is_contradicted"),
    [
        ({"lowest_failed": 90}, True),
        ({"lowest_failed": 110}, False),
        ({"highest_held": 111}, True),
        ({"highest_held": 109}, False),
        ({"kind": "arrivals", "highest_held": 500}, False),
    ],
)
def test_an_answer_is_contradicted_by_what_its_run_held_and_failed(
    modules, changes, is_contradicted
):
    found = result(100, width=10, **changes)
    if changes.get("lowest_failed") == 90:
        found = result(110, width=10, **changes)

    assert modules["scores_as_shipped"]["is_contradicted"](found) is is_contradicted


def test_no_answer_is_not_contradicted(modules):
    assert not modules["scores_as_shipped"]["is_contradicted"](silent(highest_held=500))


def test_harm_is_counted_and_its_highest_is_shown(modules):
    harm = modules["scores_as_shipped"]["harm_of"](
        [
            result(100, target_died=True, oom_kills=2, highest_opened=130, seconds=90.0),
            result(100, throttled_s=2.5, refusals=7),
            result(100, throttled_s=1.9, seconds=30.0),
            result(100, kind="arrivals", highest_opened=900),
        ]
    )

    assert (1, 1, 1, 7) == tuple(
        harm[key] for key in ("died", "oom_killed", "throttled", "most_refused")
    )
    assert (1.3, 0.25) == (harm["most_share"], harm["median_share"])
    assert (60.0, 90.0) == (harm["median_s"], harm["longest_s"])


def test_a_run_that_left_no_record_has_no_share(modules):
    unrecorded = silent()
    del unrecorded["harm"]["highest_opened"]

    assert modules["scores_as_shipped"]["harm_of"]([unrecorded])["most_share"] is None


def test_a_doubt_is_worth_how_much_more_often_it_stands_on_wrong_answers(modules):
    results = [result(130, doubts=["rising", "kept"])] * 4
    results += [result(100, doubts=["kept"])] * 9 + [silent()]
    ratios = modules["scores_as_shipped"]["likelihood_ratios"](results)

    assert ratios["rising"]["wrong"] == (4, 4)
    assert ratios["rising"]["right"] == (0, 9)
    assert ratios["rising"]["ratio"] == pytest.approx((4.5 / 5) / (0.5 / 10))
    assert ratios["kept"]["ratio"] == pytest.approx(0.9 / 0.95)


def test_the_tables_have_a_line_for_each_kind_and_each_case(modules):
    table = modules["table_as_shipped"]
    results = [result(100), result(90, kind="CPU"), silent()]

    assert len(table["answers"](results)) == len(table["harm"](results)) == 2 + 3
    lines = table["cases"](results, {r["case"]: 3 for r in results})
    assert len(lines) == 2 + 3
    assert {line.count("|") for line in lines} == {lines[0].count("|")}
    assert any("too little" in line for line in lines)
    assert lines[-1].endswith("| 2 |")


def test_both_ways_stand_side_by_side(modules):
    lines = modules["table_as_shipped"]["short"]([result(100)], [result(98, kind="SLO")])

    assert [line.split("|")[1].strip() for line in lines[2:]] == ["memory", "SLO"]


def test_without_results_the_page_says_so(modules):
    assert "Nothing has been examined as shipped yet." in modules["table"]["shipped_page"]([], {})


def step(connections, received, **changes):
    return {
        "step": {"connections": connections, "is_mix": True, "subscriptions_per_connection": 2},
        "plateau_started_at": 1.0,
        "load": {"deliveries_per_s": received},
        "connections_peak": connections,
        "delivery_delay": {"p95_s": 0.01},
        "failures": {},
        "lost": 0,
        "void": None,
        **changes,
    }


@pytest.mark.parametrize(
    ("observed", "slo_s", "is_held"),
    [
        (step(10, 20.0), None, True),
        (step(10, 19.0), None, None),
        (step(10, 15.0), None, False),
        (step(10, 20.0, lost=1), None, None),
        (step(10, 20.0, lost=5), None, False),
        (step(10, 20.0, failures={"connect_refused": 1}), None, None),
        (step(10, 20.0, failures={"request_failed": 1}), None, True),
        (step(10, 20.0, delivery_delay={"p95_s": 0.2}), 0.1, False),
        (step(10, 20.0, void="a worker was lost"), None, None),
        (step(0, 0.0), None, None),
        (step(10, 0, load=None, plateau_started_at=None), None, None),
        (
            step(10, 0, load=None, plateau_started_at=None, failures={"connect_reset": 3}),
            None,
            False,
        ),
    ],
)
def test_a_step_was_held_failed_or_tells_nothing(modules, observed, slo_s, is_held):
    assert modules["evidence"]["verdict"](observed, 2.0, slo_s) is is_held


def test_the_record_says_what_was_opened_refused_held_and_failed(modules, tmp_path):
    json = modules["evidence"]["json"]
    steps = [
        step(20, 40.0),
        step(60, 119.0, connections_peak=61),
        step(180, 0, load=None, plateau_started_at=None, connections_peak=100)
        | {"failures": {"connect_refused": 9, "request_failed": 4}},
    ]
    points = [{"index": 2, "open_connections": 104, "failures": 15}]
    (tmp_path / "steps.jsonl").write_text("\n".join(map(json.dumps, steps)))
    (tmp_path / "load.jsonl").write_text(json.dumps(points[0]) + '\n{"torn')

    found = modules["evidence"]["evidence_of"](tmp_path, 2.0)

    # Two failed after the last observation.
    assert (104, 60, 100, 9 + 2, 15) == tuple(
        found[key]
        for key in ("highest_opened", "highest_held", "lowest_failed", "refusals", "failures")
    )


def test_sockets_are_those_open_to_the_port(modules):
    text = (
        b"   0: 0100007F:1F90 00000000:0000 0A 0\n"
        b"   1: 0100007F:1F90 0100007F:A1B2 01 0\n"
        b"   2: 0100007F:A1B2 0100007F:1F90 01 0\n"
        b"   3: 0100007F:1F90 0100007F:A1B3 06 0\n"
    )

    assert modules["watch"]["established"](text, 8080) == 1
