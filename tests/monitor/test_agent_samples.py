"""Samples of a real agent come through, whatever happens on their way."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from capacity.domain.sample import Sample
from capacity.monitor.serving.store import as_json
from capacity.sources.push_server import PushServer
from capacity.sources.pushed import PushedSamples
from capacity.sources.spool import read_spool


def test_only_the_asked_number_of_samples_is_kept(bystander, start_agent, wait_until):
    agent = start_agent("--pid", bystander.pid, "--interval", 0.1, "--keep", 3)
    wait_until(lambda: agent.samples(6))

    assert len(agent.samples()) == 3


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
