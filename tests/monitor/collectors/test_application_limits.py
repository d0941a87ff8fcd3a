"""The limits of the target's applications, as the sampler asks for them."""

import shutil
import subprocess

import pytest

from capacity.domain.resources import Resource
from capacity.monitor.collectors.application_limits import ApplicationLimitsCollector
from capacity.monitor.limits.applications.applications import Applications
from capacity.monitor.readings import Reading


@pytest.fixture
def collector(listeners):
    return ApplicationLimitsCollector(listeners, Applications())


def test_nothing_is_read_for_a_sample(collector, bystander, view):
    assert collector.collect(view(bystander.pid)) == Reading()


def test_a_target_that_is_no_known_server_has_no_limit(collector, bystander, view):
    assert list(collector.limits(view(bystander.pid))) == []


def test_a_target_whose_listeners_cannot_be_told_is_read_all_the_same(
    collector, view, listeners, monkeypatch
):
    if shutil.which("memcached") is None:
        pytest.skip("memcached is not installed")

    def refuse(_):
        raise PermissionError(13, "no")

    monkeypatch.setattr(listeners, "read", refuse)
    command = ["memcached", "-u", "root", "-s", "/dev/null/none", "-c", "60"]
    with subprocess.Popen([*command[:3], "-p", "0", "-U", "0", *command[5:]]) as server:
        try:
            (limit,) = collector.limits(view(server.pid))
        finally:
            server.kill()

    assert (limit.resource, limit.value) == (Resource.APPLICATION_CONNECTIONS, 36)
