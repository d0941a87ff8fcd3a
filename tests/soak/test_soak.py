"""What the soak says of a series: growth is found out, and what goes up and down is no growth."""

import json
import math
import os
import random
import runpy
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MEBIBYTE = 1 << 20


@pytest.fixture
def program(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    yield lambda name: runpy.run_path(str(HERE / name))
    for name in ("readings", "trend"):
        sys.modules.pop(name, None)


def readings_of(value_at, figure="rss_bytes", minutes=40):
    return [
        {"at_s": second, "role": "worker 0", figure: value_at(second)}
        for second in range(30, minutes * 60, 30)
    ]


def noisy(base, scatter, per_hour):
    chance = random.Random(1)
    return lambda second: base + scatter * chance.gauss(0, 1) + per_hour * second / 3600


def test_growth_beyond_its_allowance_is_found_out(program):
    grown = program("trend.py")["grown"]
    [said] = grown(readings_of(noisy(80 * MEBIBYTE, MEBIBYTE / 4, 6 * MEBIBYTE)))

    assert said.startswith("rss_bytes of the worker 0, by ")
    assert said.endswith("an hour")


@pytest.mark.parametrize("per_hour", [0.0, 0.5 * MEBIBYTE, -6 * MEBIBYTE])
def test_noise_and_what_is_allowed_are_no_growth(program, per_hour):
    readings = readings_of(noisy(80 * MEBIBYTE, MEBIBYTE / 4, per_hour))

    assert [] == program("trend.py")["grown"](readings)


def test_what_grows_only_while_it_warms_up_does_not_grow(program):
    def warming(second):
        return 60 * MEBIBYTE + min(second, 590) * 20_000

    assert [] == program("trend.py")["grown"](readings_of(warming))


def test_descriptors_that_follow_the_population_are_no_growth_and_one_in_a_minute_is(program):
    grown = program("trend.py")["grown"]

    def population(second):
        return 14 + 60 * (math.floor(second / 37) % 2)

    assert [] == grown(readings_of(population, "descriptors"))
    [said] = grown(readings_of(lambda second: population(second) + second // 60, "descriptors"))
    assert "descriptors of the worker 0, by 60" in said


def test_a_share_of_pages_that_grows_as_others_end_is_shown_and_not_judged(program):
    trend = program("trend.py")
    readings = readings_of(lambda second: 80 * MEBIBYTE + 9000 * second, "pss_bytes")

    assert [] == trend["grown"](readings)
    assert "pss_bytes" in trend["table"](readings)


def test_too_few_readings_are_no_success(program):
    [said] = program("trend.py")["grown"](readings_of(lambda _second: 1, minutes=2))

    assert said.startswith("unknown, as fewer than")


def test_a_slope_comes_with_an_interval_around_it(program):
    readings = readings_of(noisy(0, 1.0, 10.0), "threads")
    low, mid, high = program("trend.py")["slope_per_hour"](
        [each["at_s"] for each in readings], [each["threads"] for each in readings]
    )

    assert low < mid < high
    assert low < 10 < high


def test_the_same_readings_are_judged_again_by_their_file(program, tmp_path, capsys):
    file = tmp_path / "soak.jsonl"
    lines = map(json.dumps, readings_of(noisy(80 * MEBIBYTE, 1000, 60 * MEBIBYTE)))
    file.write_text("\n".join(lines))

    assert 1 == program("soak.py")["main"](["--judge", str(file)])
    assert "1 of the series grow" in capsys.readouterr().out


def test_a_process_is_read_with_what_it_counts_itself(program, tmp_path):
    read = program("readings.py")["read"]
    assert "greenlets" not in read(os.getpid(), tmp_path)
    (tmp_path / str(os.getpid())).write_text('{"greenlets": 12}')
    with Path("/dev/null").open() as one, Path("/dev/null").open() as two:
        before = read(os.getpid(), tmp_path)
        del one, two

    assert before["greenlets"] == 12
    assert before["threads"] >= 1
    assert before["descriptors"] == 2 + read(os.getpid(), tmp_path)["descriptors"]
    assert 0 < before["pss_bytes"] <= before["rss_bytes"]


def test_the_load_lasts_longer_than_it_is_watched(program):
    profile_of = program("soak.py")["profile"]
    for minutes in (1, 60, 600):
        profile = profile_of(minutes)
        steps = profile["steps"]

        assert len(steps) <= 200
        assert len(steps) * (profile["plateau_s"] + profile["settle_s"]) > minutes * 60 * 0.85
