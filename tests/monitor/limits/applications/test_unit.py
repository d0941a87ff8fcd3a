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


def test_what_was_set_at_run_time_and_for_all_services_counts(made, entries):
    made.write("/usr/lib/systemd/system/a-b.service", "[Service]\nLimitNOFILE=1\nTasksMax=5\n")
    made.write("/etc/systemd/system/service.d/10.conf", "[Service]\nLimitNPROC=7\nTasksMax=6\n")
    made.write("/etc/systemd/system/a-.service.d/20.conf", "[Service]\nLimitNOFILE=2\n")
    made.write("/run/systemd/system.control/a-b.service.d/50.conf", "[Service]\nMemoryMax=3M\n")
    found = entries("0::/system.slice/a-b.service")

    assert {name: entry.value for name, entry in found.items()} == {
        "LimitNOFILE": 2,
        "TasksMax": 6,
        "LimitNPROC": 7,
        "MemoryMax": 3 << 20,
    }


def test_of_files_of_one_name_the_unit_own_one_counts(made, entries):
    made.write("/etc/systemd/system/service.d/10.conf", "[Service]\nTasksMax=6\n")
    made.write("/usr/lib/systemd/system/nginx.service.d/10.conf", "[Service]\nTasksMax=7\n")

    assert entries()["TasksMax"].value == 7


def test_an_empty_value_takes_back_what_was_set(made, entries):
    made.write("/usr/lib/systemd/system/nginx.service", "[Service]\nTasksMax=5\nLimitNPROC=7\n")
    made.write("/etc/systemd/system/nginx.service.d/a.conf", "[Service]\nTasksMax=\n")

    assert list(entries()) == ["LimitNPROC"]


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


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("LimitAS=3K", 3 << 10),
        ("LimitAS=3M", 3 << 20),
        ("LimitAS=3T", 3 << 40),
        ("LimitAS=3G:4G", 3 << 30),
        ("LimitAS=infinity:4G", None),
        ("LimitAS=5 ; few", 5),
    ],
)
def test_sizes_have_their_units_and_the_soft_limit_counts(made, entries, text, value):
    made.write("/etc/systemd/system/nginx.service", f"[Service]\n{text}\n")
    entry = entries()["LimitAS"]

    assert value == entry.value
    assert "bytes" == entry.unit
    assert entry.name.startswith("LimitAS of nginx.service, from its next start on")


def test_drop_ins_of_an_instance_come_on_top_of_those_of_its_template(made, entries):
    unit = "0::/system.slice/redis@6379.service"
    folder = "/etc/systemd/system"
    made.write(f"{folder}/redis@.service", "[Service]\nLimitNOFILE=1\nTasksMax=1\nMemoryMax=1\n")
    made.write(f"{folder}/redis@.service.d/50.conf", "[Service]\nLimitNOFILE=2\nTasksMax=2\n")
    made.write(f"{folder}/redis@6379.service.d/50.conf", "[Service]\nTasksMax=3\n")
    made.write(f"{folder}/redis@6379.service.d/60.conf", "[Service]\nMemoryMax=4\n")

    assert {"LimitNOFILE": 1, "TasksMax": 3, "MemoryMax": 4} == {
        name: entry.value for name, entry in entries(unit).items()
    }

    made.write(f"{folder}/redis@6379.service", "[Service]\nLimitNOFILE=9\n")

    assert entries(unit)["LimitNOFILE"].value == 9


def test_drop_ins_of_every_name_that_a_dash_ends_come_on_top_and_of_none_before_the_first(
    made, entries
):
    unit, folder = "0::/system.slice/a-b-c.service", "/etc/systemd/system"
    made.write(f"{folder}/a-b-c.service", "[Service]\nLimitNOFILE=1\nTasksMax=1\nMemoryMax=1\n")
    made.write(f"{folder}/a-.service.d/1.conf", "[Service]\nLimitNOFILE=2\n")
    made.write(f"{folder}/a-b-.service.d/2.conf", "[Service]\nTasksMax=3\n")
    made.write(f"{folder}/-.service.d/3.conf", "[Service]\nMemoryMax=4\n")
    made.write(f"{folder}/a-b-c-.service.d/4.conf", "[Service]\nMemoryMax=5\n")

    assert {"LimitNOFILE": 2, "TasksMax": 3, "MemoryMax": 1} == {
        name: entry.value for name, entry in entries(unit).items()
    }


def test_a_template_is_a_unit_of_its_own_name(made, entries):
    made.write("/etc/systemd/system/redis@.service", "[Service]\nLimitNOFILE=7\n")

    assert entries("0::/redis@.service")["LimitNOFILE"].value == 7
    assert entries("0::/else.service") == {}
