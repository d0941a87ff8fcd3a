"""The files in config/deploy start what exists, with options that exist, and join what they name."""

from locust.argument_parser import get_parser

import re
import shlex
from pathlib import Path

import pytest
import yaml

from capacity.cli.measure import command as measure
from capacity.cli.running.locust_command import DEFAULT_ADDRESS
from capacity.loadgen.arguments import add_arguments

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "config/deploy"
README = (DEPLOY / "README.md").read_text()
KUBERNETES = {
    (document["kind"], document["metadata"]["name"]): document["spec"]
    for document in yaml.safe_load_all((DEPLOY / "workers-kubernetes.yaml").read_text())
}


def locust_options(words):
    """Return what Locust understands of the words after its name, in the project's directory."""
    parser = get_parser(default_config_files=[])
    add_arguments(parser)
    return parser.parse_args([word.replace("config/", f"{ROOT}/config/", 1) for word in words])


def container_of(job):
    (container,) = KUBERNETES["Job", job]["template"]["spec"]["containers"]
    return [*container["command"], *container["args"]]


def compose_workers():
    return yaml.safe_load((DEPLOY / "workers-compose.yaml").read_text())["services"]["workers"]


def worker_commands():
    [line] = [line.strip() for line in README.splitlines() if line.strip().startswith("locust ")]
    composed = [
        re.sub(r"\$\{MASTER.*\}", "10.0.0.5", re.sub(r"\$\{WORKERS:-(\d+)\}", r"\1", word))
        for word in compose_workers()["command"]
    ]
    return {
        "README": shlex.split(line),
        "compose": composed,
        "kubernetes": container_of("capacity-workers"),
    }


@pytest.mark.parametrize("file", ["README", "compose", "kubernetes"])
def test_every_worker_is_started_with_options_that_locust_has(file):
    program, *words = worker_commands()[file]
    options = locust_options(words)

    assert "locust" == program
    assert (True, "locustfiles", 0) == (
        options.worker,
        options.locustfile,
        options.exit_code_on_error,
    )
    assert options.master_host in {"10.0.0.5", "capacity-master"}
    assert DEFAULT_ADDRESS.port == options.master_port


def test_the_master_is_started_with_options_that_it_has():
    [line] = [line.strip() for line in README.splitlines() if "capacity measure --" in line]
    for program, name, *words in (shlex.split(line), container_of("capacity-master")):
        parsed = measure.make_context(name, list(words)).params

        assert ("capacity", "measure") == (program, name)
        assert parsed["expect_workers"] > 0
        assert parsed["bind"] is not None


def test_the_kubernetes_master_expects_the_workers_that_there_are():
    workers = KUBERNETES["Job", "capacity-workers"]

    assert f"--expect-workers={workers['parallelism']}" in container_of("capacity-master")
    assert workers["parallelism"] == workers["completions"]


def test_service_and_policy_lead_workers_to_the_master_and_nobody_else():
    master, worker = (
        KUBERNETES["Job", f"capacity-{name}"]["template"]["metadata"]["labels"]
        for name in ("master", "workers")
    )
    service = KUBERNETES["Service", "capacity-master"]
    policy = KUBERNETES["NetworkPolicy", "capacity-master"]
    [rule] = policy["ingress"]

    assert master == service["selector"] == policy["podSelector"]["matchLabels"]
    assert [{"podSelector": {"matchLabels": worker}}] == rule["from"]
    assert [DEFAULT_ADDRESS.port] == [port["port"] for port in rule["ports"]]
    assert [DEFAULT_ADDRESS.port] == [port["port"] for port in service["ports"]]
    assert f"--master-host={'capacity-master'}" in container_of("capacity-workers")


def test_what_the_image_is_made_of_is_there():
    copied = re.findall(r"^COPY (.*) \S+$", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE)

    assert copied
    assert [] == [name for names in copied for name in names.split() if not (ROOT / name).exists()]
    assert (DEPLOY / compose_workers()["build"]["context"]).resolve() == ROOT


def test_every_sample_is_in_the_page_and_nothing_else():
    files = {path.name for path in DEPLOY.iterdir()} - {"README.md"}

    assert files == set(re.findall(r"^\| `([\w.-]+)` \|", README, flags=re.MULTILINE))
