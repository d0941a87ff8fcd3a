"""One example for each command, shown at the end of its help; a test runs them past the parser."""

from collections.abc import Mapping

import click

EXAMPLES: Mapping[str, str] = {
    "attach": "capacity attach 20261127T023000Z-demo-safe /var/spool/capacity/*.ndjson",
    "audit": "capacity audit demo",
    "check": "capacity check 20261127T023000Z-demo-safe --rules config/rules.yaml",
    "compare": "capacity compare 20261127T023000Z-demo-safe 20261126T023000Z-demo-safe",
    "completion": "capacity completion bash >> ~/.bashrc",
    "config show": "capacity config show profile safe --origin",
    "demo": "capacity demo --verify",
    "dialect explain": "capacity dialect explain deribit",
    "dialect init": "capacity dialect init mine session.har",
    "dialect lint": "capacity dialect lint deribit",
    "dialect record": "capacity dialect record ws://127.0.0.1:8080/ws/api/v2 session.jsonl",
    "dialect replay": "capacity dialect replay deribit session.jsonl",
    "dialect try": "capacity dialect try --target demo",
    "doctor": "capacity doctor --target demo --profile safe",
    "exchange": "capacity exchange --port 8080",
    "history baseline": "capacity history baseline 20261127T023000Z-nightly",
    "history forecast": "capacity history forecast --demand example --instances 4",
    "history list": "capacity history list --days 30",
    "history show": "capacity history show 20261127T023000Z-nightly",
    "history trend": "capacity history trend --figure cost.memory_per_connection",
    "init": "capacity init",
    "measure": "capacity measure --target demo --profile safe",
    "plan": "capacity plan 20261127T023000Z-demo-safe --demand example --hosts example",
    "profile list": "capacity profile list",
    "publish": "capacity publish 20261127T023000Z-demo-safe --to reports/published",
    "report": "capacity report 20261127T023000Z-demo-safe --format html,md",
    "scheduled": "capacity scheduled nightly --quiet",
    "why": "capacity why 20261127T023000Z-demo-safe memory",
}


def with_examples(command: click.Command, name: str) -> click.Command:
    """Return *command*, called *name*, with its example in the help; a group's members likewise."""
    example = EXAMPLES.get(name)
    if example is not None:
        command.epilog = f"\b\nExample:\n  {example}"
    for member, below in getattr(command, "commands", {}).items():
        with_examples(below, f"{name} {member}")
    return command
