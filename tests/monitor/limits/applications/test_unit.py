"""Limits in the files of a systemd unit."""

import pytest

from capacity.monitor.limits.applications.unit import unit_entries, unit_of


@pytest.fixture
def entries(made):
    def read(cgroup="0::/system.slice/nginx.service"):
        process = made.process("nginx")
        (made.proc / "7/cgroup").write_text(f"{cgroup}\n")
        return {entry.name.split()[0]: entry for entry in unit_entries(process)}

    return read


def test_drop_ins_come_on_top_and_etc_hides_lib(made, entries):
    made.write("/usr/lib/systemd/system/nginx.service", "[Service]\nLimitNOFILE=1\nTasksMax=5\n")
    made.write(
        "/etc/systemd/system/nginx.service",
        "[Unit]\nTasksMax=1\n[Service]\nEnvironment=KEY=secret\nLimitNOFILE=100:200\nMemoryMax=2G\n",
    )
    made.write("/run/systemd/system/nginx.service.d/50.conf", "[Service]\nTasksMax=infinity\n")
    made.write("/usr/lib/systemd/system/nginx.service.d/50.conf", "[Service]\nTasksMax=9\n")
    found = entries()

    assert {name: entry.value for name, entry in found.items()} == {
        "LimitNOFILE": 100,
        "MemoryMax": 2 << 30,
        "TasksMax": None,
    }
    assert found["TasksMax"].state.value == "unlimited"
    assert found["LimitNOFILE"].source == "/etc/systemd/system/nginx.service:5: LimitNOFILE 100"
    assert all(entry.resource is None for entry in found.values())
    assert "secret" not in f"{found}"


def test_a_share_is_unknown_and_the_others_are_read(made, entries):
    made.write("/etc/systemd/system/nginx.service", "[Service]\nTasksMax=50%\nLimitNPROC=7\n")

    assert {name: entry.state.value for name, entry in entries().items()} == {
        "TasksMax": "unknown",
        "LimitNPROC": "known",
    }


def test_an_instance_has_its_template(made, entries):
    made.write("/etc/systemd/system/redis@.service", "[Service]\nLimitNOFILE=7\n")

    assert entries("0::/system.slice/redis@6379.service")["LimitNOFILE"].value == 7


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("0::/system.slice/a.service\n", "a.service"),
        ("1:name=systemd:/system.slice/a.service/sub\n", "a.service"),
        ("0::/user.slice/session-1.scope\n", None),
        ("0::/\n", None),
        ("", None),
    ],
)
def test_the_unit_of_a_process(text, unit):
    assert unit_of(text) == unit


def test_a_process_without_a_unit_has_none(entries):
    assert entries("0::/") == {}
