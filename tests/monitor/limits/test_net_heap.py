"""What a runtimeconfig.json beside a program of .NET says, and what the runtime takes without one."""

import pytest

from capacity.monitor.limits.applications.settings import UnclearError
from capacity.monitor.limits.net_heap import (
    net_config_exists,
    net_config_option,
    net_default_bytes,
)

MIB = 1 << 20
CONFIG = '{"runtimeOptions": {"configProperties": {\n%s\n}}}'


@pytest.fixture
def configured(write_file, tmp_path):
    def write(properties, name="app.runtimeconfig.json"):
        write_file("7/cmdline", "")
        write_file(f"root/srv/{name}", CONFIG % properties)
        for link, place in (("root", "root"), ("cwd", "root/srv")):
            (tmp_path / "7" / link).symlink_to(tmp_path / place)
        return str(tmp_path)

    return write


@pytest.mark.parametrize(
    ("properties", "size_bytes", "ratio"),
    [
        ('"System.GC.HeapHardLimit": 5', 5, None),
        ('"System.GC.HeapHardLimit": 5, "System.GC.HeapHardLimitPercent": 40', 5, None),
        ('"System.GC.HeapHardLimitPercent": 40', None, 0.4),
    ],
)
def test_a_size_or_a_share(configured, properties, size_bytes, ratio):
    option = net_config_option(7, ["/srv/app"], configured(properties))

    assert (option.size_bytes, option.memory_ratio) == (size_bytes, ratio)
    assert option.where == "/srv/app.runtimeconfig.json:2"


@pytest.mark.parametrize("properties", ['"System.GC.HeapHardLimit": 0', '"System.GC.Server": true'])
def test_a_file_that_sets_none(configured, properties):
    assert net_config_option(7, ["/srv/app"], configured(properties)) is None


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        (["dotnet", "exec", "--runtimeconfig", "app.runtimeconfig.json", "b.dll"], True),
        (["dotnet", "/srv/app.dll", "b.dll"], True),
        (["dotnet", "b.dll"], False),
        (["dotnet", "run"], False),
        (["dotnet", "--runtimeconfig"], False),
    ],
)
def test_the_command_line_says_where_it_is(configured, words, is_found):
    proc = configured('"System.GC.HeapHardLimit": 5')

    assert (net_config_option(7, words, proc) is not None) == is_found


def test_a_number_that_is_none_is_unclear(configured):
    with pytest.raises(UnclearError, match="no plain number"):
        net_config_option(7, ["/srv/app"], configured('"System.GC.HeapHardLimit": "much"'))


def test_a_program_of_net_is_known_by_the_file_beside_it(configured):
    proc = configured("")

    assert net_config_exists(7, "/srv/app", proc)
    assert net_config_exists(7, "app", proc)
    assert not net_config_exists(7, "/srv/other", proc)


@pytest.mark.parametrize(("container_mib", "limit_mib"), [(400, 300), (28, 21), (26, 20), (10, 20)])
def test_the_default_is_three_quarters_and_20_mib_at_least(container_mib, limit_mib):
    assert net_default_bytes(container_mib * MIB) == limit_mib * MIB
