"""The files that start an agent: options that exist, no privilege that is not needed, names that are."""

import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from capacity.domain.resources import Limit, LimitState, Resource
from capacity.monitor.arguments import parser, selector
from capacity.monitor.collectors.registry import host_collectors, target_collectors
from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.listeners import TargetListeners
from capacity.monitor.serving.exposition import metrics_text

sample_of = runpy.run_path(str(Path(__file__).parent / "agent_samples.py"))["sample_of"]

DEPLOY = Path(__file__).parents[1] / "config/deploy"
PAGE = (DEPLOY / "agent.md").read_text(encoding="utf-8")
UNIT = (DEPLOY / "capacity-agent.service").read_text(encoding="utf-8")
DEPLOYMENT, POLICY = yaml.safe_load_all((DEPLOY / "agent-kubernetes.yaml").read_text())
POD = DEPLOYMENT["spec"]["template"]["spec"]


def unit_values(name):
    """Return the values of one key of the unit; a backslash joins lines."""
    lines = UNIT.replace("\\\n", " ").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")]


def unit_options():
    [line] = unit_values("ExecStart")
    _program, *words = shlex.split(line.replace("%d", "/run/credentials").replace("%S", "/var/lib"))
    assert words[:2] == ["-m", "capacity.monitor"]
    return parser().parse_args(words[2:])


def container(name):
    [found] = [each for each in POD["containers"] if each["name"] == name]
    return found


def test_the_unit_starts_the_agent_with_options_that_exist():
    options = unit_options()

    assert selector(options) == Selector(unit="market.service")
    assert options.token_file is not None
    assert (options.certificate is None, options.key is None) == (False, False)


def test_the_unit_hands_over_every_credential_that_it_uses():
    options = unit_options()
    used = {options.token_file.name, options.certificate.name, options.key.name}

    assert {value.partition(":")[0] for value in unit_values("LoadCredential")} == used


def test_the_unit_writes_only_where_it_spools():
    assert unit_values("ProtectSystem") == ["strict"]
    assert unit_values("StateDirectory") == [unit_options().spool.name]
    assert unit_values("ReadWritePaths") == []


def test_the_unit_gives_no_privilege():
    for name in ("AmbientCapabilities", "CapabilityBoundingSet"):
        assert unit_values(name) == [""]
    for name in ("NoNewPrivileges", "DynamicUser", "PrivateDevices", "RestrictNamespaces"):
        assert unit_values(name) == ["yes"]
    assert "AF_NETLINK" in unit_values("RestrictAddressFamilies")[0]
    assert unit_values("MemoryMax") != []


def test_systemd_understands_the_unit(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is needed")
    unit = tmp_path / "capacity-agent.service"
    unit.write_text(UNIT.replace("/opt/capacity/.venv/bin/python", sys.executable))
    command = ["systemd-analyze", "verify", str(unit)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    about_it = [line for line in ran.stderr.splitlines() if "capacity-agent" in line]

    assert (ran.returncode, about_it) == (0, [])


def test_the_sidecar_sees_the_target_and_is_found_by_its_generator():
    agent, market = container("capacity-agent"), container("market")
    assert agent["command"] == ["python", "-m", "capacity.monitor"]
    options = parser().parse_args(agent["args"])

    assert POD["shareProcessNamespace"] is True
    assert selector(options) == Selector(port=market["ports"][0]["containerPort"])
    assert options.listen == agent["ports"][0]["containerPort"]
    assert agent["livenessProbe"]["httpGet"]["port"] == agent["ports"][0]["name"]
    assert POLICY["spec"]["podSelector"] == DEPLOYMENT["spec"]["selector"]
    assert [port["port"] for rule in POLICY["spec"]["ingress"] for port in rule["ports"]] == [
        market["ports"][0]["name"],
        agent["ports"][0]["name"],
    ]


def test_the_sidecar_has_its_token_and_no_privilege():
    agent = container("capacity-agent")
    options = parser().parse_args(agent["args"])
    [mount], [volume] = agent["volumeMounts"], POD["volumes"]

    assert options.token_file.parent == Path(mount["mountPath"])
    assert (mount["name"], mount["readOnly"]) == (volume["name"], True)
    # The group's bits come with fsGroup; nobody else may read it.
    assert volume["secret"]["defaultMode"] == 0o400
    assert POD["automountServiceAccountToken"] is False
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert agent["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "runAsUser" not in container("market")["securityContext"]


def test_every_option_of_the_agent_that_has_a_place_in_the_document_is_there():
    named = set(re.findall(r"--[a-z-]+", PAGE))
    everyday = {"--help", "--interval", "--audit", "--json"}
    known = {option for action in parser()._actions for option in action.option_strings}

    assert {option for option in known if option.startswith("--")} - everyday <= named


def test_every_metric_in_the_table_of_names_is_published():
    listeners = TargetListeners()
    names = [
        name
        for collector in (*host_collectors(), *target_collectors(listeners))
        for name in collector.provides
    ]
    resources = [Resource(name) for name in names if name in set(Resource)]
    counters = re.findall(r"`capacity_(\w+)_total`", PAGE)
    sample = sample_of(
        used=dict.fromkeys(resources, 1.0),
        gauges={name: 1.0 for name in names if name not in {*resources, *counters}},
        counters={name: 1.0 for name in names if name in counters},
    )
    limits = tuple(
        Limit(resource=each, state=LimitState.KNOWN, value=1.0, scope="host", source="s")
        for each in resources
    )
    published = set(re.findall(r"^(capacity_\w+) ", metrics_text(sample, limits), re.MULTILINE))
    table = PAGE[PAGE.index("## Names in OpenTelemetry") :]
    ours = {name for line in table.splitlines() for name in re.findall(r"`(capacity_\w+)`", line)}

    assert len(ours) >= 14
    assert ours - published == set()
