"""Profile files."""

from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.profile import (
    BreakProfile,
    RampProfile,
    SafeProfile,
    SequenceProfile,
    load_profile,
)
from capacity.workload.profiles.experiment import Experiment, Factors
from capacity.workload.profiles.profile import Mix, Pace, ramp_s

SHIPPED = Path(__file__).parents[2] / "config" / "profiles"


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text):
        Path("p.yaml").write_text(f"profile: 1\nname: p\n{text}")
        return Path("p.yaml")

    return write


def test_the_kind_decides_what_a_profile_is(file):
    safe = load_profile(file("kind: safe"))
    ramp = load_profile(file("kind: ramp\nlevels: [10, 20]"))
    breaking = load_profile(file("kind: break\nstart: 1\ngrowth: 2\nlimit: 100"))

    assert isinstance(safe, SafeProfile)
    assert (safe.fraction, safe.levels, safe.connections) == (0.25, 6, None)
    assert isinstance(ramp, RampProfile)
    assert ramp.levels == (10, 20)
    assert isinstance(breaking, BreakProfile)
    assert (breaking.start, breaking.growth, breaking.limit) == (1, 2, 100)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "kind: soak",
            "3: kind: must be one of 'safe', 'ramp', 'sequence', 'break' (got \"soak\")",
        ),
        ("levels: [1]", "1: kind: is required: one of 'break', 'ramp', 'safe', 'sequence'"),
        (
            "kind: safe\nfraction: 0.3",
            "4: fraction: must be less than or equal to 0.25 (got 0.3)",
        ),
        ("kind: safe\nfraction: 0", "4: fraction: must be greater than 0 (got 0)"),
        ("kind: safe\nlevels: [1, 2]", "4: levels: must be a whole number (got [1, 2])"),
        (
            "kind: safe\nincrement: 5",
            (
                "4: increment: unknown key; allowed: profile, name, question, basis, connects_per_s, arrivals, "
                "settle_s, plateau_s, ramp_timeout_s, connections_per_user, poll_interval_s, "
                "order_interval_s, worker_memory_mib, mix, freshness, "
                "guards, kind, fraction, start, growth, levels, longest_s, "
                "steps_per_level, churn_per_s_per_connection, connections, storm"
            ),
        ),
        ("kind: ramp", "1: levels: is required"),
        ("kind: ramp\nlevels: []", "4: levels: needs at least 1 item (got [])"),
        ("kind: ramp\nlevels: 5", "4: levels: must be a list (got 5)"),
        (
            "kind: ramp\nlevels:\n  - 5\n  - 5",
            "6: levels[1]: must be higher than the level before, 5 (got 5)",
        ),
        (
            "kind: ramp\nlevels: [true]",
            "4: levels[0]: must be a whole number (got true)",
        ),
        (
            "kind: break\nstart: 9\nlimit: 9",
            "5: limit: must be higher than start, 9 (got 9)",
        ),
        (
            "kind: break\nstart: 1\nlimit: 9\nplateau_s: 5\nlongest_plateau_s: 4",
            "7: longest_plateau_s: must not be below plateau_s, 5 (got 4)",
        ),
        (
            "kind: safe\nmix: {subscriptions: 3}",
            "4: mix.subscriptions: unknown key; did you mean subscriptions_per_connection?",
        ),
        (
            "kind: safe\nplateau_s: 0.5",
            "4: plateau_s: must be greater than or equal to 1 (got 0.5)",
        ),
        (
            "kind: safe\nstorm: {share_ratio: 1.1}",
            "4: storm.share_ratio: must be less than or equal to 1 (got 1.1)",
        ),
        (
            "kind: safe\nstorm: {habits: []}",
            "4: storm.habits: needs at least 1 item (got [])",
        ),
        ("kind: safe\nconnects_per_s: -1", "4: connects_per_s: must be greater than 0 (got -1)"),
    ],
)
def test_a_profile_that_cannot_be_is_refused_with_its_line(file, text, problem):
    with pytest.raises(ConfigError) as error:
        load_profile(file(text))

    assert str(error.value) == f"p.yaml:{problem}"


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_profile_is_named_like_its_file(path):
    assert load_profile(path).name == path.stem


@pytest.mark.parametrize(
    ("name", "bound", "most_s"),
    [
        ("safe", 4000, 150.0),
        ("safe", 20_000, 180.0),
        ("quick", 4000, 40.0),
        ("thorough", 20_000, 1200.0),
    ],
)
def test_a_healthy_target_is_climbed_in_time(name, bound, most_s):
    profile = load_profile(SHIPPED / f"{name}.yaml")
    assert isinstance(profile, SafeProfile)
    experiment = Experiment(
        mix=Mix(
            subscriptions_per_connection=profile.mix.subscriptions_per_connection,
            requests_per_s_per_connection=profile.mix.requests_per_s_per_connection,
            poll_interval_s=profile.poll_interval_s,
        ),
        pace=Pace(
            connects_per_s=profile.connects_per_s,
            ramp_timeout_s=profile.ramp_timeout_s,
            settle_s=profile.settle_s,
            plateau_s=profile.plateau_s,
        ),
        factors=Factors(
            can_idle=True,
            can_poll=True,
            churn_per_s_per_connection=profile.churn_per_s_per_connection,
        ),
        steps_per_level=profile.steps_per_level,
    )
    steps = [experiment.baseline()]
    level = 0
    for _ in range(profile.levels):
        if level == round(bound * profile.fraction):
            break
        level = min(round(profile.growth * level) or profile.start, round(bound * profile.fraction))
        steps += experiment.level(level, steps)
    steps += experiment.way_down(steps)

    ramps_s = sum(ramp_s(steps, index) for index in range(len(steps)))

    assert ramps_s + sum(step.settle_s + step.plateau_s for step in steps) <= most_s


def test_a_scenario_is_a_sequence_of_steps_and_removes_its_load_before_it_harms(file):
    profile = load_profile(
        file("kind: sequence\nsteps:\n  - {connections: 5}\n  - {connections: 0, plateau_s: 60}")
    )

    assert isinstance(profile, SequenceProfile)
    assert [(5, None), (0, 60.0)] == [(step.connections, step.plateau_s) for step in profile.steps]
    assert profile.guards is not None
