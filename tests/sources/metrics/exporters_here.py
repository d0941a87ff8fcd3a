"""Debian's node_exporter, process-exporter and Prometheus, started on loopback for a test."""

import contextlib
import json
import random
import shutil
import socket
import subprocess
import time

import pytest
import requests
import yaml

PACKAGES = ("prometheus-node-exporter", "prometheus-process-exporter", "prometheus")
START_TIMEOUT_S = 20.0
FEWEST_SCRAPES = 4


def skip_unless_installed(*programs):
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (packages of the same name)")


def free_port():
    """Return a port that nobody has: below those that the kernel gives to others meanwhile."""
    # None of these programs tells which port it got.
    while True:
        port = random.SystemRandom().randrange(20_000, 32_768)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextlib.contextmanager
def started(url, *command):
    """Run *command* until the block ends, which begins when *url* answers 200."""
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            deadline_s = time.monotonic() + START_TIMEOUT_S
            while not _answers(url):
                assert process.poll() is None, f"{command[0]} ended"
                if time.monotonic() > deadline_s:
                    raise TimeoutError(f"{url} keeps silent")
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


def _answers(url):
    try:
        return requests.get(url, timeout=2).status_code == requests.codes.ok
    except requests.RequestException:
        return False


@contextlib.contextmanager
def node_exporter():
    """Return the URL of a node_exporter's page."""
    address = f"127.0.0.1:{free_port()}"
    url = f"http://{address}/metrics"
    with started(url, "prometheus-node-exporter", f"--web.listen-address={address}"):
        yield url


@contextlib.contextmanager
def process_exporter(directory, cmdline="capacity.cli.main exchange"):
    """Return the URL of a process-exporter's page: a group for each process, named by its pid."""
    address = f"127.0.0.1:{free_port()}"
    url = f"http://{address}/metrics"
    file = directory / "process-exporter.yml"
    file.write_text(yaml.safe_dump({"process_names": [{"name": "{{.PID}}", "cmdline": [cmdline]}]}))
    listen = ("-web.listen-address", address, "-config.path", file)
    with started(url, "prometheus-process-exporter", *listen):
        yield url


@contextlib.contextmanager
def prometheus(directory, urls, *options):
    """Return the URL of a Prometheus that scrapes the pages *urls* once a second."""
    address = f"127.0.0.1:{free_port()}"
    url = f"http://{address}"
    file = directory / "prometheus.yml"
    jobs = [
        {
            "job_name": f"job{n}",
            "static_configs": [{"targets": [page.split("/")[2]]}],
        }
        for n, page in enumerate(urls)
    ]
    file.write_text(
        json.dumps(
            {
                "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
                "scrape_configs": jobs,
            }
        )
    )
    command = (
        "prometheus",
        f"--config.file={file}",
        f"--storage.tsdb.path={directory / 'tsdb'}",
        f"--web.listen-address={address}",
        *options,
    )
    with started(f"{url}/-/ready", *command):
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while _scrapes(url, len(urls)) < FEWEST_SCRAPES:
            if time.monotonic() > deadline_s:
                raise TimeoutError("Prometheus does not scrape")
            time.sleep(0.2)
        yield url


def _scrapes(url, pages):
    """Return how often the page that was scraped least was; 0 until all were."""
    query = {"query": "count_over_time((up == 1)[1m:1s])"}
    result = requests.get(f"{url}/api/v1/query", params=query, timeout=2).json()["data"]["result"]
    counts = [int(series["value"][1]) for series in result]
    return min(counts) if len(counts) == pages else 0
