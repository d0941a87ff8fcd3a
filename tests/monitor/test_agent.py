"""The agent as a process: what it refuses, what it serves, and a target that dies and returns."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from pydantic import TypeAdapter

from capacity.domain.errors import ConfigError
from capacity.domain.resources import Resource
from capacity.domain.sample import AgentInfo, Sample
from capacity.monitor.agent import bind_address, main
from capacity.monitor.serving.store import as_json
from capacity.sources.push_server import PushServer
from capacity.sources.pushed import PushedSamples
from capacity.sources.spool import read_spool

LISTEN = """
import socket
s = socket.create_server(('127.0.0.1', {}), backlog=200)
print(s.getsockname()[1])
held = []
def take(n): held.extend(s.accept()[0] for _ in range(n))
"""


def refused(capsys, *arguments):
    """Return exit code and the only line on stderr."""
    code = main(["--listen", "0", *map(str, arguments)])
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return code, said.err


def test_other_hosts_are_not_served_without_a_token(capsys, bystander):
    code, said = refused(capsys, "--pid", bystander.pid, "--bind", "0.0.0.0")

    assert code == 2
    assert "--bind 0.0.0.0 is reachable from other hosts: add --token-file" in said


def test_a_token_is_not_sent_in_the_clear_unless_that_is_asked_for(capsys, bystander, tmp_path):
    path = tmp_path / "token"
    path.write_text("s3cret-of-16-letters")
    path.chmod(0o600)
    options = ("--pid", bystander.pid, "--bind", "0.0.0.0", "--token-file", path)
    code, said = refused(capsys, *options)

    assert code == 2
    assert "would send the token in the clear: add --certificate and --key, or" in said
    assert "--allow-plain-http" in said


def test_the_audit_is_printed_once_and_ends(capsys, start_child):
    child = start_child(LISTEN.format(0))
    code = main(["--audit", "--port", child.said[0]])
    said = capsys.readouterr()

    assert (code, said.err) == (0, "")
    assert f"process {child.pid}" in said.out
    assert re.search(
        r"^net\.core\.somaxconn +[\d,]+ connections +namespace +arrivals", said.out, re.MULTILINE
    )
    assert re.search(
        rf"^accept queue of port {child.said[0]} +201 connections", said.out, re.MULTILINE
    )


def test_the_audit_as_json_is_what_the_agent_would_serve(capsys, bystander, start_agent):
    assert main(["--audit", "--json", "--pid", str(bystander.pid)]) == 0

    printed = json.loads(capsys.readouterr().out)
    served = start_agent("--pid", bystander.pid).ask("/v1/info").json()

    assert printed.keys() == served.keys()
    assert printed["audit"] == served["audit"]
    assert len(printed["audit"]) >= 30
    assert TypeAdapter(AgentInfo).validate_python(served).audit[0].name == "RLIMIT_NOFILE"


def test_json_without_audit_is_refused(capsys, bystander):
    code, said = refused(capsys, "--pid", bystander.pid, "--json")

    assert code == 2
    assert "--json goes with --audit" in said


def test_an_audit_of_nothing_is_no_empty_table(capsys):
    assert refused(capsys, "--pid", 2**22 + 1, "--audit")[0] == 4


@pytest.mark.parametrize("host", ["::", "192.0.2.1", ""])
def test_every_other_address_is_refused_likewise(capsys, bystander, host):
    assert refused(capsys, "--pid", bystander.pid, "--bind", host)[0] == 2


def test_a_busy_port_is_a_preflight_error(capsys, bystander):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = refused(capsys, "--pid", bystander.pid, "--listen", port)

    assert code == 3
    assert f"cannot serve on 127.0.0.1 port {port}: Address already in use" in said


@pytest.mark.parametrize("how", [("--pid", 2**22 + 1), ("--name", "no such name"), ("--port", 1)])
def test_without_a_target_there_is_no_agent(capsys, how):
    code, said = refused(capsys, *how)

    assert code == 4
    assert said.startswith("capacity agent: ")


def test_impossible_arguments_end_it_without_a_word_of_python(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--pid", "1", "--name", "x"])

    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--token-file", "{}/open"), 2, "others may read or write it; chmod go="),
        (("--key", "{}/open"), 2, "--certificate and --key go together"),
        (("--push", "http://192.0.2.9:9102"), 2, "use https, or add --allow-plain-http"),
        (("--push", "nowhere"), 2, "must be http://HOST:PORT"),
        (("--push", "https://x", "--ca-file", "{}/open"), 2, "not a file of certificates"),
        (("--ca-file", "{}/open"), 2, "goes with --push"),
        (("--spool", "{}/absent"), 2, "No such file or directory; name a directory"),
    ],
)
def test_what_would_not_be_safe_or_cannot_be_is_refused_before_anything_begins(
    capsys, bystander, tmp_path, arguments, code, words
):
    (tmp_path / "open").write_text("s3cret-of-16-letters")
    (tmp_path / "open").chmod(0o644)
    arguments = [word.format(tmp_path) for word in arguments]

    assert (got := refused(capsys, "--pid", bystander.pid, *arguments))[0] == code
    assert words in got[1]


def test_an_address_that_is_none_is_refused():
    with pytest.raises(ConfigError, match=r"--bind no\.such\.invalid: not an address"):
        bind_address("no.such.invalid")


@pytest.mark.parametrize(
    ("host", "address"), [("localhost", r"127\.0\.0\.1|::1"), ("127.0.0.9", r"127\.0\.0\.9")]
)
def test_names_become_addresses(host, address):
    assert re.fullmatch(address, bind_address(host))


def test_counts_over_http_equal_what_was_opened(start_child, start_agent, wait_until):
    child = start_child(LISTEN.format(0))
    port = int(child.said[0])
    agent = start_agent("--port", port, "--interval", 0.1)
    before = wait_until(agent.samples)[-1]
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(150)]
    child.do("take(150)")
    seen_before = agent.samples()[-1]["seq"]
    connections = Resource.APPLICATION_CONNECTIONS.value
    after = wait_until(
        lambda: [each for each in agent.samples(seen_before + 1) if connections in each["used"]]
    )[0]
    for client in clients:
        client.close()
    info = agent.ask("/v1/info").json()

    assert after["used"][connections] == 150
    assert after["used"]["descriptors"] - before["used"]["descriptors"] == 150
    assert info["target_pids"] == [child.pid]
    assert after["target_started_at"] == info["target_started_at"]
    assert Sample(**after).missing == after["missing"]


def test_a_target_that_dies_and_returns_is_followed(start_child, start_agent, wait_until):
    first = start_child(LISTEN.format(0))
    port = int(first.said[0])
    agent = start_agent("--port", port, "--interval", 0.1)
    there = wait_until(agent.samples)[-1]
    first.end()
    gone = wait_until(
        lambda: [each for each in agent.samples() if each["target_started_at"] is None]
    )[0]
    second = start_child(LISTEN.format(port))
    back = wait_until(
        lambda: [each for each in agent.samples(gone["seq"]) if each["target_started_at"]]
    )[0]
    seqs = [each["seq"] for each in agent.samples()]

    assert "descriptors" in there["used"]
    assert "target is gone" in gone["missing"]["descriptors"]
    assert "host_memory" in gone["used"]
    assert back["used"]["descriptors"] >= 4
    assert back["target_started_at"] > there["target_started_at"]
    assert agent.ask("/v1/info").json()["target_pids"] == [second.pid]
    assert seqs == list(range(1, len(seqs) + 1))


def test_only_the_asked_number_of_samples_is_kept(bystander, start_agent, wait_until):
    agent = start_agent("--pid", bystander.pid, "--interval", 0.1, "--keep", 3)
    wait_until(lambda: agent.samples(6))

    assert len(agent.samples()) == 3


def test_with_a_token_other_addresses_may_be_served(bystander, start_agent, tmp_path):
    path = tmp_path / "token"
    path.write_text("s3cret-of-16-letters")
    path.chmod(0o600)
    # Still the loopback: only what guards it is under test.
    options = ("--bind", "127.0.0.2", "--allow-plain-http", "--token-file", path)
    agent = start_agent("--pid", bystander.pid, *options)

    assert agent.ask("/v1/info").status_code == 401
    assert agent.ask("/v1/info", "s3cret-of-16-letters").status_code == 200
    assert agent.ask("/healthz").text == "ok\n"


def test_ipv6_is_shown_in_brackets(bystander, start_agent):
    agent = start_agent("--pid", bystander.pid, "--bind", "::1")

    assert re.fullmatch(r"agent ready on http://\[::1\]:\d+\n", agent.greeting)
    assert agent.ask("/healthz").status_code == 200


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_at_once_and_shows_in_the_exit_code(bystander, start_agent, number, code):
    agent = start_agent("--pid", bystander.pid, "--interval", 600)

    assert agent.end(number) == code


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_reader_of_the_audit_that_left_is_no_trouble_of_ours(form):
    readable, writable = os.pipe()
    os.close(readable)
    ended = subprocess.run(
        [sys.executable, "-m", "capacity.monitor", "--pid", str(os.getpid()), "--audit", *form],
        stdout=writable,
        stderr=subprocess.PIPE,
        check=False,
        timeout=20,
    )
    os.close(writable)

    assert (141, b"") == (ended.returncode, ended.stderr)


def test_the_agent_needs_nothing_but_psutil(root):
    """What its imports load, in an interpreter of its own."""
    line = (
        "import sys; before = set(sys.modules); import capacity.monitor.agent;"
        "import sysconfig; site = sysconfig.get_path('purelib');"
        "print({name.partition('.')[0] for name in set(sys.modules) - before"
        " if (getattr(sys.modules[name], '__file__', '') or '').startswith(site)})"
    )
    ran = subprocess.run(
        [sys.executable, "-c", line], capture_output=True, text=True, check=True, cwd=root
    )

    assert ran.stdout.strip() == "{'psutil'}"


PLANTED = """
import resource, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (345, 678))
server = socket.create_server(('127.0.0.1', 0), backlog=20)
clients = [socket.create_connection(server.getsockname()) for _ in range(9)]
held = [server.accept()[0] for _ in range(4)]
ballast = b"x" * (40 << 20)
"""
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@pytest.fixture
def watched_by_nobody(start_child, start_agent):
    """A target of root's and an agent without any privilege, where that can be arranged."""
    program = [*NOBODY, sys.executable, "-c", "import capacity.monitor.agent"]
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("root and setpriv are needed to start the agent as nobody")
    if subprocess.run(program, capture_output=True, check=False).returncode:
        pytest.skip("nobody may not read this installation")
    child = start_child(PLANTED)
    command = (*NOBODY, sys.executable, "-m", "capacity.monitor")
    return child, start_agent("--pid", child.pid, "--interval", 0.1, command=command)


def test_without_privilege_everything_is_right_or_unknown_and_never_zero(
    watched_by_nobody, wait_until
):
    _child, agent = watched_by_nobody
    # The census of the first reading is not in the first sample.
    wait_until(lambda: len(agent.samples()) > 25)
    samples, info = agent.samples(), agent.ask("/v1/info").json()
    used = {key: value for each in samples for key, value in each["used"].items()}
    gauges = {key: value for each in samples for key, value in each["gauges"].items()}
    missing = {key: why for each in samples for key, why in each["missing"].items()}
    limits = {limit["resource"]: limit for limit in info["limits"]}
    audit = {entry["name"]: entry for entry in info["audit"]}

    # Standard streams, listener, nine clients' ends and four accepted ones.
    assert used["descriptors"] == 3 + 1 + 9 + 4
    assert (limits["descriptors"]["value"], audit["RLIMIT_NOFILE (hard)"]["value"]) == (345, 678)
    assert used["memory"] > 40 << 20 < gauges["resident_bytes"]
    assert limits["memory"]["value"] > 40 << 20
    assert gauges["sockets_established"] >= 18
    assert gauges["sockets_time_wait"] >= 0
    assert audit["net.core.somaxconn"]["state"] == "known"
    for name in ("application_connections", "accept_queue", "epoll_watches", "memory_maps"):
        assert name not in used
        assert name not in gauges
        assert "run the agent as the target's user or as root" in missing[name]
    assert "run the agent as the target's user or as root" in missing["slab_tcp_bytes"]
    unknown = [entry for entry in info["audit"] if entry["state"] == "unknown"]
    assert all(entry["reason"] for entry in unknown)


def test_a_zombie_is_gone_and_another_process_with_its_id_is_another(
    start_child, start_agent, wait_until
):
    parent = start_child(
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid)"
    )
    agent = start_agent("--pid", parent.said[0], "--interval", 0.1)
    there = wait_until(agent.samples)[-1]
    parent.do("child.kill()")  # Nobody waits for it.
    gone = wait_until(lambda: [each for each in agent.samples() if not each["target_started_at"]])
    state = Path(f"/proc/{parent.said[0]}/stat").read_text().rpartition(")")[2].split()[0]

    assert there["target_started_at"]
    assert state == "Z"
    assert "target is gone" in gone[-1]["missing"]["descriptors"]
    assert "descriptors" not in gone[-1]["used"]


def test_over_tls_it_says_so_and_is_believed(bystander, start_agent, certificate):
    options = ("--certificate", certificate.file, "--key", certificate.key)
    agent = start_agent("--pid", bystander.pid, *options)

    assert agent.url.startswith("https://127.0.0.1:")
    assert requests.get(f"{agent.url}/healthz", timeout=5, verify=certificate.file).text == "ok\n"


def test_pushed_and_spooled_samples_are_those_that_are_served(
    bystander, start_agent, wait_until, tmp_path
):
    inbox = PushedSamples("the agent")
    receiver = PushServer(("127.0.0.1", 0), inbox, None)
    receiver.start()
    try:
        agent = start_agent(
            *("--pid", bystander.pid, "--interval", 0.1, "--spool", tmp_path),
            *("--push", f"http://127.0.0.1:{receiver.server_port}"),
        )
        info = inbox.info()
        pushed = wait_until(lambda: [each for each in inbox.samples(0) if each.seq >= 5])
        served = [Sample(**each) for each in agent.samples()]
        agent.end()
    finally:
        receiver.close()
    spooled = read_spool([tmp_path / "samples-00000001.ndjson"])

    assert info.target_pids == (bystander.pid,)
    assert pushed[0].seq == 5
    assert [as_json(each) for each in inbox.samples(0)[:5]] == [
        as_json(each) for each in served[:5]
    ]
    assert [as_json(each) for each in spooled.samples[:5]] == [as_json(each) for each in served[:5]]
    assert (spooled.torn, spooled.samples[-1].seq >= served[-1].seq) == (0, True)


def test_a_full_disk_stops_no_sampling_and_is_said_once(
    bystander, start_agent, wait_until, tmp_path
):
    if subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("making a mount namespace is not permitted here")
    inside = (
        f"mount -t tmpfs -o size=4m tmpfs {tmp_path} && dd if=/dev/zero of={tmp_path}/ballast"
        f' bs=1k count=4090 2>/dev/null && exec {sys.executable} -m capacity.monitor "$@"'
    )
    command = ("unshare", "-m", "sh", "-ec", inside, "sh")
    agent = start_agent(
        *("--pid", bystander.pid, "--interval", 0.1, "--spool", tmp_path), command=command
    )
    notes = wait_until(lambda: agent.ask("/v1/info").json()["notes"])
    Path(f"/proc/{agent.process.pid}/root{tmp_path}/ballast").write_bytes(b"")
    seen = len(agent.samples())
    wait_until(lambda: not agent.ask("/v1/info").json()["notes"], within_s=8)
    spooled = [
        json.loads(line)["seq"]
        for file in Path(f"/proc/{agent.process.pid}/root{tmp_path}").glob("samples-*")
        for line in file.read_text().splitlines()[1:]
    ]
    agent.process.send_signal(signal.SIGTERM)
    said = agent.process.stderr.read().splitlines()

    assert "No space left on device; sampling goes on" in notes[0]
    assert spooled[:seen] == list(range(1, seen + 1))
    assert len([line for line in said if line.startswith("capacity agent: --spool")]) == 1


def test_a_cut_of_the_network_leaves_no_gap_in_the_samples(
    start_elsewhere, wait_until, run_there, tmp_path
):
    """The agent's host is a namespace of its own, and its link is really down for a while."""
    elsewhere = start_elsewhere("import subprocess")
    link = f"cap{os.getpid() % 100_000}"
    addresses = f"198.18.{os.getpid() % 250}"
    outside = f"ip link add {link}a type veth peer name {link}b netns {elsewhere.pid}"
    if subprocess.run(outside.split(), capture_output=True, check=False).returncode:
        pytest.skip("making a pair of links is not permitted here")
    for line in (f"address add {addresses}.1/30 dev {link}a", f"link set {link}a up"):
        subprocess.run(["ip", *line.split()], check=True)
    run_there(elsewhere.pid, f"ip address add {addresses}.2/30 dev {link}b")
    run_there(elsewhere.pid, f"ip link set {link}b up")
    token = tmp_path / "token"
    token.write_text("s3cret-of-16-letters")
    token.chmod(0o600)
    try:
        words = f"--pid {elsewhere.pid} --interval 0.1 --bind {addresses}.2 --allow-plain-http --listen 9101"
        command = [sys.executable, "-m", "capacity.monitor", *words.split()]
        elsewhere.do(
            f"agent = subprocess.Popen({[*command, '--token-file', str(token)]!r},"
            " stderr=subprocess.DEVNULL)"
        )
        seqs = []

        def fetch():
            try:
                text = requests.get(
                    f"http://{addresses}.2:9101/v1/samples?since={seqs[-1] if seqs else 0}",
                    headers={"Authorization": "Bearer s3cret-of-16-letters"},
                    timeout=0.5,
                ).text
            except requests.RequestException:
                return False
            seqs.extend(json.loads(line)["seq"] for line in text.splitlines())
            return bool(seqs)

        wait_until(fetch)
        before = seqs[-1]
        run_there(elsewhere.pid, f"ip link set {link}b down")
        during = [fetch(), time.sleep(1.2), fetch()]
        run_there(elsewhere.pid, f"ip link set {link}b up")
        wait_until(fetch)
    finally:
        elsewhere.do("agent.kill(); agent.wait()")

    assert during == [False, None, False]
    assert seqs == list(range(1, seqs[-1] + 1))
    assert seqs[-1] - before >= 10
