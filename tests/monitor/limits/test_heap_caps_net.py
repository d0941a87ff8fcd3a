"""The limit of .NET's heap: in a file beside the program, in its environment, by its container."""

import pytest

from capacity.domain.resources import LimitState
from capacity.monitor.limits.heap_caps import heap_cap

MIB = 1 << 20
CONFIG = '{"runtimeOptions": {"tfm": "net8.0", "configProperties": {%s}}}'


@pytest.fixture
def net_limit(write_file, tmp_path):
    """Return the limit of a program of .NET in /srv, in a container of 400 MiB or in none."""

    def read(line, properties=None, *, variables="", in_container=True):
        write_file("7/cmdline", line.replace(" ", "\0"))
        write_file("7/environ", variables)
        write_file("meminfo", "MemTotal: 1024000 kB\n")
        group = "/pods" if in_container else "/"
        write_file("7/cgroup", f"0::{group}\n")
        write_file("self/mountinfo", f"30 23 0:26 / {tmp_path}/cgroup rw - cgroup2 cgroup rw\n")
        write_file("cgroup/pods/memory.max", f"{400 * MIB}\n")
        write_file("root/srv/other", "")
        if properties is not None:
            write_file("root/srv/app.runtimeconfig.json", CONFIG % properties)
        for name, place in (("root", "root"), ("cwd", "root/srv")):
            (tmp_path / "7" / name).symlink_to(tmp_path / place)
        return heap_cap(7, str(tmp_path)).limit

    return read


@pytest.mark.parametrize("line", ["dotnet --roll-forward Major app.dll", "/srv/app", "./app"])
def test_a_program_of_net_has_its_limit_in_a_file_beside_it(net_limit, line):
    limit = net_limit(line, '"System.GC.HeapHardLimit": 67108864')

    assert limit.value == 64 * MIB
    assert limit.source == "/srv/app.runtimeconfig.json:1: System.GC.HeapHardLimit 67108864"


def test_the_environment_of_net_beats_its_file(net_limit):
    variables = "DOTNET_GCHeapHardLimit=2000000"

    assert (
        net_limit("/srv/app", '"System.GC.HeapHardLimit": 67108864', variables=variables).value
        == 32 * MIB
    )


def test_a_share_of_net_is_of_the_container(net_limit):
    assert net_limit("/srv/app", '"System.GC.HeapHardLimitPercent": 50').value == 200 * MIB


def test_net_without_a_limit_takes_three_quarters_of_its_container(net_limit):
    limit = net_limit("dotnet app.dll")

    assert limit.value == 300 * MIB
    assert "three quarters of" in limit.source


def test_net_without_a_limit_and_a_container_has_none(net_limit):
    assert net_limit("dotnet app.dll", "", in_container=False).state is LimitState.UNLIMITED


def test_a_file_of_net_that_cannot_be_parsed_is_unknown_with_its_line(net_limit):
    limit = net_limit("dotnet app.dll", "{{ limit }}")

    assert limit.state is LimitState.UNKNOWN
    assert limit.reason.startswith("/srv/app.runtimeconfig.json:1: beyond the plain YAML")
