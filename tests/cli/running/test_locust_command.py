"""What Locust is started with, understood by Locust's own parser; and ports that are really taken."""

from locust.argument_parser import get_parser

import socket
from pathlib import Path

import pytest

from capacity.cli.running.locust_command import (
    FAR_WORKERS_TIMEOUT_S,
    MasterAddress,
    check_port,
    locust_argv,
    locustfiles,
    master_address,
)
from capacity.domain.errors import ConfigError, PreflightError
from capacity.loadgen.arguments import add_arguments


def understood(workers, master=None):
    argv = locust_argv(Path("t.yaml"), Path("p.yaml"), workers, master, {"run": Path("run")})
    parser = get_parser(default_config_files=[])
    add_arguments(parser)
    assert ["-m", "locust"] == argv[:2]
    return parser.parse_args(argv[2:])


def test_without_a_meeting_locust_forks_its_workers_and_nobody_else_can_come():
    options = understood(3)

    assert (3, False, True) == (options.processes, options.master, options.headless)
    assert "127.0.0.1" == options.master_bind_host == options.master_host
    assert options.master_bind_port == options.master_port != 5557
    assert ("t.yaml", "p.yaml") == (options.capacity_target, options.capacity_profile)
    assert (Path(options.locustfile) / "load_profile.py").is_file()


def test_locustfiles_here_are_loaded_before_the_shipped_ones_but_no_strangers(
    tmp_path, monkeypatch, root
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "locustfiles").mkdir()
    (tmp_path / "locustfiles" / "theirs.py").touch()
    assert str(root / "locustfiles") == locustfiles()

    (tmp_path / "locustfiles" / "load_profile.py").touch()
    assert "locustfiles" == locustfiles()


def test_two_runs_do_not_share_a_port():
    assert understood(1).master_port != understood(1).master_port


def test_with_a_meeting_locust_forks_nobody_and_waits():
    options = understood(3, MasterAddress(address="10.0.0.5", port=6000))

    assert (None, True, 3) == (options.processes, options.master, options.expect_workers)
    assert ("10.0.0.5", 6000) == (options.master_bind_host, options.master_bind_port)
    assert FAR_WORKERS_TIMEOUT_S == options.expect_workers_max_wait


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [(None, "127.0.0.1", 5557), ("10.0.0.5", "10.0.0.5", 5557), ("0.0.0.0:99", "0.0.0.0", 99)],
)
def test_a_meeting_is_on_loopback_unless_told(text, address, port):
    assert MasterAddress(address=address, port=port) == master_address(text)


@pytest.mark.parametrize("text", ["", ":5557", "10.0.0.5:", "10.0.0.5:0", "10.0.0.5:65536", "::1"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ConfigError, match="ADDRESS:PORT"):
        master_address(text)


def test_a_taken_port_and_an_address_of_another_host_are_said_before_anything_starts():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            PreflightError, match=f"on 127.0.0.1 port {port}: Address already in use"
        ):
            check_port(MasterAddress(address="127.0.0.1", port=port))
    check_port(MasterAddress(address="127.0.0.1", port=port))
    with pytest.raises(PreflightError, match=r"on 192\.0\.2\.1 port 5557: Cannot assign"):
        check_port(MasterAddress(address="192.0.2.1", port=5557))
