"""TLS on one side alone, and certificates that nobody knows: each has its own remedy."""

import os
import subprocess

import pytest

from capacity.domain.errors import UnreachableError
from capacity.sources.web import Web


@pytest.fixture
def certificate(tmp_path):
    files = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1"
    names = ["-subj", "/CN=venue", "-addext", "subjectAltName=DNS:venue.example,IP:127.0.0.1"]
    out = ["-out", files[0], "-keyout", files[1]]
    subprocess.run([*command.split(), *names, *out], check=True, capture_output=True)
    return files


def web(url, *, key="agent.url", **options):
    return Web(url, name="the agent", remedy="start it", key=key, **options)


def refusal(url, **options):
    with pytest.raises(UnreachableError) as error:
        web(url, **options).fetch("/v1/info")
    return str(error.value)


def test_an_agent_that_speaks_tls_is_told_from_one_that_does_not(start_agent, certificate):
    file, key = certificate
    server = start_agent("--certificate", file, "--key", key, "--pid", os.getpid())
    port = server.url.rpartition(":")[2]
    here = f"https://127.0.0.1:{port}"
    unknown = refusal(here)

    assert "set agent.ca_file to a PEM file" in unknown
    assert "start it" not in unknown
    assert "write a name that the certificate has" in refusal(
        f"https://localhost:{port}", ca_file=str(file)
    )
    assert "write https:// in agent.url if TLS is spoken there; or start it" in refusal(
        f"http://127.0.0.1:{port}"
    )
    assert "set agent.prometheus.ca_file" in refusal(here, key="agent.prometheus.url")
    assert web(here, ca_file=str(file)).fetch("/v1/info").is_ok


def test_an_agent_without_tls_is_asked_over_http(start_agent):
    port = start_agent("--pid", os.getpid()).url.rpartition(":")[2]

    assert "write http:// in agent.url: TLS is not spoken there" in refusal(
        f"https://127.0.0.1:{port}"
    )
