"""An agent's server in a thread, and how it is asked."""

import http.client
import socket

import pytest

from capacity.monitor.collectors.descriptors import DescriptorsCollector
from capacity.monitor.host.discovery import Selector
from capacity.monitor.host.target import Target
from capacity.monitor.sampler import Sampler
from capacity.monitor.serving.credentials import server_context
from capacity.monitor.serving.server import AgentServer
from capacity.monitor.serving.store import SampleRing


@pytest.fixture
def serve(bystander, in_a_thread):
    def start(token=None, samples=3, host="127.0.0.1", tls=None, notes=None):
        target = Target(Selector(pid=bystander.pid))
        target.resolve()
        sampler, ring = Sampler(target, [DescriptorsCollector()], []), SampleRing(10)
        sampler.prime()
        for _ in range(samples):
            ring.add(sampler.sample())
        return in_a_thread(AgentServer((host, 0), sampler, ring, token=token, tls=tls, notes=notes))

    return start


def ask(server, path, headers=None, method="GET"):
    connection = http.client.HTTPConnection(*server.host_and_port, timeout=5)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()
    finally:
        connection.close()


def send(server, data):
    """Send raw bytes and return all that comes back until the server closes."""
    with socket.create_connection(server.host_and_port, timeout=5) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while part := client.recv(65536):
            answer += part
    return answer


@pytest.fixture
def tls(certificate):
    return server_context(certificate.file, certificate.key)
