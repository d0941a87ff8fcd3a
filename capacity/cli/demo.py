"""`capacity demo`: exchange, agent, load, plan and report on this machine; then, if asked, the truth."""

from contextlib import ExitStack
from pathlib import Path

import click
import yaml
from rich.console import Console

from capacity.cli.helping.console import answer_console
from capacity.cli.measure import measure
from capacity.cli.plan import plan_run, print_answer
from capacity.cli.report import write_report
from capacity.cli.running.bundled import start_bundled_target
from capacity.cli.running.children import terminations_unwind
from capacity.domain.errors import RunInvalidError
from capacity.domain.plan import CapacityPlan, Excuse
from capacity.loadgen.master.steps.limit_search import trials_of
from capacity.loadgen.run_path import new_run_path
from capacity.recording.run_directory import load
from capacity.settings.locate import find
from capacity.settings.profile import ProfileMix, load_profile
from capacity.workload.profiles.search import bracket_of

BEFORE, BEYOND = 0.9, 1.5
"""Where the search for the truth begins and ends, as shares of the predicted capacity."""
GROWTH = 1.1


@click.command("demo")
@click.option(
    "--verify", is_flag=True, help="Then find the count at which the exchange really breaks."
)
@click.option(
    "--descriptor-limit",
    default=4096,
    show_default=True,
    type=click.IntRange(64, 1 << 20),
    help="Descriptor limit of the exchange.",
)
@click.option(
    "--profile",
    default="safe",
    show_default=True,
    help="Load profile: name under config/profiles, or a file.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Load generator processes.",
)
def command(*, verify: bool, descriptor_limit: int, profile: str, workers: int) -> None:
    """Measure the bundled exchange up to a quarter of its capacity and predict that capacity."""
    console = Console(stderr=True)
    profile_path = find("profiles", profile)
    loaded = load_profile(profile_path)
    run = new_run_path("demo", loaded.name)
    with terminations_unwind(), ExitStack() as stack:
        target = start_bundled_target(stack, run, ["--descriptor-limit", str(descriptor_limit)])
        measure(target, profile_path, workers=workers, run=run)
        plan = plan_run(run)
        reports = write_report(run, ["html", "md", "json"])
        print_answer(plan, answer_console())
        console.print("Report: " + ", ".join(str(report) for report in reports), soft_wrap=True)
        if isinstance(plan, Excuse):
            raise RunInvalidError(plan.reason)
        if verify:
            _verify(plan, target, workers, run, loaded.mix)


def _verify(plan: CapacityPlan, target: Path, workers: int, run: Path, mix: ProfileMix) -> None:
    """Search for the true limit, and print predicted against measured."""
    breaking = run.with_name(f"{run.name}-break")
    breaking.mkdir()
    profile = breaking / "profile.yaml"
    start = max(plan.highest_connections, round(plan.capacity.mid * BEFORE))
    settings = {
        **load_break_settings(),
        "start": start,
        "growth": GROWTH,
        "limit": max(start + 1, round(plan.capacity.mid * BEYOND)),
        "mix": mix.model_dump(mode="json"),
    }
    profile.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    measure(target, profile, workers=workers, run=breaking)
    measured = bracket_of(trials_of(load(breaking))).last_passing
    if measured is None:
        raise RunInvalidError(
            f"{breaking}: no connection count passed, so there is nothing to compare with"
        )
    error_ratio = plan.capacity.mid / measured - 1
    Console().print(
        f"Predicted {plan.capacity.mid:.0f} connections from {plan.highest_connections}, "
        f"measured {measured}: {error_ratio:+.2%}",
        highlight=False,
    )


def load_break_settings() -> dict[str, object]:
    """Return the shipped break profile as plain data."""
    document = yaml.safe_load(find("profiles", "break").read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document
