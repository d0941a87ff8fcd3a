"""Settings of the real kernel, of a namespace with other ones, and of made-up hosts."""

import os
import subprocess

import pytest

from capacity.domain.resources import LimitState
from capacity.monitor.host.procfs import PAGE_BYTES
from capacity.monitor.limits.sysctls import sysctl_entries, sysctl_path


def entries(target):
    return {entry.name: entry for entry in sysctl_entries(target)}


@pytest.fixture
def host(write_file, made_up_proc, view):

    def make(**files):
        for name, text in files.items():
            write_file(sysctl_path(name.replace("__", "."), "").lstrip("/"), text)
        return view(7, proc=made_up_proc)

    return make


def test_numbers_are_those_that_sysctl_says(bystander, view):
    found = entries(view(bystander.pid))
    for name in ("net.core.somaxconn", "fs.nr_open", "vm.max_map_count", "kernel.pid_max"):
        said = subprocess.run(["cat", found[name].source], capture_output=True, check=True).stdout

        assert found[name].value == int(said)


def test_most_are_known_on_a_plain_host(bystander, view):
    found = entries(view(bystander.pid)).values()

    assert len([entry for entry in found if entry.state is not LimitState.UNKNOWN]) >= 24


def test_pages_and_columns_become_bytes(host):
    found = entries(
        host(
            net__ipv4__tcp_mem="1 2 3\n",
            net__ipv4__tcp_rmem="4096 8192 16384\n",
            net__ipv4__tcp_wmem="4096 8192 32768\n",
        )
    )

    assert found["net.ipv4.tcp_mem"].value == 3 * PAGE_BYTES
    assert found["net.ipv4.tcp_rmem"].value == 16384
    assert found["net.ipv4.tcp_wmem"].value == 32768


@pytest.mark.parametrize(
    ("reserved", "ports"), [("\n", 101), ("1000,1050-1059\n", 90), ("1,2000-3000\n", 101)]
)
def test_reserved_ports_are_not_to_be_had(host, reserved, ports):
    target = host(
        net__ipv4__ip_local_port_range="1000\t1100\n", net__ipv4__ip_local_reserved_ports=reserved
    )

    assert entries(target)["net.ipv4.ip_local_port_range"].value == ports


def test_without_its_module_nothing_is_tracked_and_nothing_else_is_taken_for_unlimited(host):
    found = entries(host())

    assert found["net.netfilter.nf_conntrack_max"].state is LimitState.UNLIMITED
    assert found["net.core.somaxconn"].state is LimitState.UNKNOWN
    assert "does not exist here" in found["net.core.somaxconn"].reason


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fs.file-max", "9223372036854775807\n"),
        ("fs.pipe-user-pages-soft", "0\n"),
        ("net.ipv6.route.max_size", "2147483647\n"),
    ],
)
def test_the_number_that_stands_for_none_is_none(host, name, text):
    found = entries(host(**{name.replace(".", "__"): text}))

    assert found[name].state is LimitState.UNLIMITED


@pytest.mark.parametrize("text", ["", "many\n", "1 2\n"])
def test_anything_else_is_unknown(host, text):
    found = entries(host(net__ipv4__tcp_mem=text))["net.ipv4.tcp_mem"]

    assert found.state is LimitState.UNKNOWN
    assert "documented format" in found.reason


def test_a_namespace_of_its_own_has_settings_of_its_own(start_elsewhere, run_there, view):
    child = start_elsewhere()
    run_there(child.pid, "echo 77 > /proc/sys/net/core/somaxconn")
    found = entries(view(child.pid))
    ours = entries(view(os.getpid()))

    assert found["net.core.somaxconn"].value == 77
    assert ours["net.core.somaxconn"].value != 77
    assert found["net.core.netdev_max_backlog"].value == ours["net.core.netdev_max_backlog"].value
    assert found["net.ipv4.tcp_mem"].value == ours["net.ipv4.tcp_mem"].value
