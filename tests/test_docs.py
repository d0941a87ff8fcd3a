"""The documents name everything that there is, and what they tell to type exists."""

import re
import runpy
import shlex
import textwrap
from enum import StrEnum
from pathlib import Path

import click
import pytest

from capacity.cli.main import COMMANDS, cli
from capacity.domain import (
    caveats,
    estimates,
    load,
    observation,
    plan,
    resource_facts,
    resources,
    run,
    sample,
    target,
)
from capacity.domain.answers import comparison, finding, rules, sizing
from capacity.domain.errors import CapacityError
from capacity.exchange.faults.ordered_faults import load_faults
from capacity.settings.reference import document
from capacity.settings.rules import load_rules
from capacity.settings.target import load_target

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "capacity" / "README.md").read_text(encoding="utf-8")
PAGES = [
    "README.md",
    "CHANGELOG.md",
    "SECURITY.md",
    ".github/CONTRIBUTING.md",
    "capacity/README.md",
    "config/deploy/agent.md",
    "config/deploy/README.md",
    "docs/bundled-exchange.md",
    "docs/comparison.md",
    "docs/connection-limits.md",
    "docs/dialects.md",
    "docs/how-to/ci-gate.md",
    "docs/how-to/kubernetes.md",
    "docs/how-to/production.md",
    "docs/interop.md",
    "docs/limits.md",
    "docs/museum.md",
    "docs/own-service.md",
    "docs/own-user.md",
    "docs/tutorial.md",
    "reports/README.md",
    "reports/chaos/README.md",
    "reports/measured.md",
]
TYPED = [page for page in PAGES if page not in ("docs/museum.md", "reports/measured.md")]
LINES = [
    line.strip().removeprefix(".venv/bin/")
    for page in TYPED
    for block in re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]


def public_classes(module):
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_in_the_readme(name):
    assert f"`capacity {name}`" in README


@pytest.mark.parametrize(
    "module",
    [
        caveats,
        comparison,
        estimates,
        finding,
        load,
        observation,
        plan,
        resource_facts,
        resources,
        run,
        sample,
        sizing,
        target,
        rules,
    ],
)
def test_every_public_name_of_the_domain_is_in_the_glossary(module):
    assert [] == [name for name in public_classes(module) if f"`{name}`" not in ARCHITECTURE]


def test_every_component_of_the_load_is_in_the_glossary():
    assert [] == [
        name for name in load.LoadVector.__dataclass_fields__ if f"`{name}`" not in ARCHITECTURE
    ]


def test_every_resource_is_its_own_name():
    assert issubclass(resources.Resource, StrEnum)


def test_every_configuration_key_is_documented():
    assert document() == (ROOT / "config" / "README.md").read_text(encoding="utf-8")


def exit_codes(error=CapacityError):
    return {error.exit_code}.union(*(exit_codes(child) for child in error.__subclasses__()))


def test_every_exit_code_is_in_the_readme():
    said = README[README.index("Exit codes:") :].split("\n\n", 1)[0]

    assert exit_codes() <= set(map(int, re.findall(r"\b\d+\b", said)))


@pytest.mark.parametrize("line", LINES)
def test_what_the_readme_tells_to_type_exists(line):
    program, *arguments = shlex.split(line, comments=True)
    if program == "make":
        assert f"\n{arguments[0]}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
    elif program == "locust":
        assert (ROOT / arguments[1]).is_file()
    elif program == "prlimit":
        assert "gateway:app" in arguments
    elif program == "pip":
        assert "install" == arguments[0]
        assert any(re.fullmatch(r"(dist/)?capacity-\*\.whl", word) for word in arguments[1:])
    else:
        assert program == "capacity"
        assert_options_exist(arguments)


def assert_options_exist(arguments):
    name, *rest = arguments
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command is not None
    if name == "agent":  # It has its own parser, so that the target host needs no click.
        from capacity.monitor.agent import parser

        known = {option for action in parser()._actions for option in action.option_strings}
    else:
        if isinstance(command, click.Group):
            command = command.get_command(context, rest[0])
            assert command is not None
        known = {option for parameter in command.params for option in parameter.opts}

    assert {argument for argument in rest if argument.startswith("--")} <= known


@pytest.mark.parametrize("file", sorted((ROOT / "config" / "targets").glob("*.yaml")))
def test_every_shipped_target_loads(file):
    assert file.stem == load_target(file).name


@pytest.mark.parametrize("document_file", PAGES)
def test_links_lead_somewhere(document_file):
    path = ROOT / document_file
    links = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))

    assert [] == [link for link in links if not (path.parent / link).exists()]


def test_every_page_for_people_is_held_to_its_links():
    pages = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")}

    assert pages == {page for page in PAGES if page.startswith("docs/")}


def test_the_rules_that_a_page_shows_are_rules(tmp_path):
    text = (ROOT / "docs/how-to/ci-gate.md").read_text()
    [shown] = re.findall(r"^   ```yaml\n(.*?)^   ```", text, flags=re.DOTALL | re.MULTILINE)
    file = tmp_path / "rules.yaml"
    file.write_text(textwrap.dedent(shown))

    assert len(load_rules(file)) == 4


def test_the_faults_that_a_page_shows_are_faults(tmp_path):
    text = (ROOT / "docs/bundled-exchange.md").read_text()
    shown = next(
        block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "do:" in block
    )
    file = tmp_path / "faults.yaml"
    file.write_text(shown)

    assert ["skip", "stall", "half_open", "burst"] == [fault.kind for fault in load_faults(file)]


def test_the_first_page_stays_one():
    assert len(README.splitlines()) < 200


def test_the_notebook_of_the_documents_runs(tmp_path, monkeypatch, capsys):
    [code] = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/own-service.md").read_text(), flags=re.DOTALL
    )
    [named] = re.findall(r'load_run\("(.*?)"\)', code)
    example = runpy.run_path(str(ROOT / "tests/reporting/example_run.py"))
    monkeypatch.chdir(tmp_path)
    write_run = runpy.run_path(str(ROOT / "tests/written_run.py"))["write_run"]
    write_run(Path(named), example["make_record"]())
    exec(compile(code, "docs/own-service.md", "exec"), {})

    assert " descriptors [" in capsys.readouterr().out
