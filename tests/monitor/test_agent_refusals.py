"""What the agent refuses before anything begins, and how it says so."""

import re
import socket

import pytest

from capacity.domain.errors import ConfigError
from capacity.monitor.agent import bind_address, main


def refused(capsys, *arguments):
    """Return exit code and the only line on stderr."""
    code = main(["--listen", "0", *map(str, arguments)])
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return code, said.err


def test_other_hosts_are_not_served_without_a_token(capsys, bystander):
    code, said = refused(capsys, "--pid", bystander.pid, "--bind", "0.0.0.0")

    assert code == 2
    assert "--bind 0.0.0.0 is reachable from other hosts: add --token-file" in said


def test_a_token_is_not_sent_in_the_clear_unless_that_is_asked_for(capsys, bystander, tmp_path):
    path = tmp_path / "token"
    path.write_text("s3cret-of-16-letters")
    path.chmod(0o600)
    options = ("--pid", bystander.pid, "--bind", "0.0.0.0", "--token-file", path)
    code, said = refused(capsys, *options)

    assert code == 2
    assert "would send the token in the clear: add --certificate and --key, or" in said
    assert "--allow-plain-http" in said


def test_json_without_audit_is_refused(capsys, bystander):
    code, said = refused(capsys, "--pid", bystander.pid, "--json")

    assert code == 2
    assert "--json goes with --audit" in said


def test_an_audit_of_nothing_is_no_empty_table(capsys):
    assert refused(capsys, "--pid", 2**22 + 1, "--audit")[0] == 4


@pytest.mark.parametrize("host", ["::", "192.0.2.1", ""])
def test_every_other_address_is_refused_likewise(capsys, bystander, host):
    assert refused(capsys, "--pid", bystander.pid, "--bind", host)[0] == 2


def test_a_busy_port_is_a_preflight_error(capsys, bystander):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = refused(capsys, "--pid", bystander.pid, "--listen", port)

    assert code == 3
    assert f"cannot serve on 127.0.0.1 port {port}: Address already in use" in said


@pytest.mark.parametrize("how", [("--pid", 2**22 + 1), ("--name", "no such name"), ("--port", 1)])
def test_without_a_target_there_is_no_agent(capsys, how):
    code, said = refused(capsys, *how)

    assert code == 4
    assert said.startswith("capacity agent: ")


def test_impossible_arguments_end_it_without_a_word_of_python(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--pid", "1", "--name", "x"])

    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--token-file", "{}/open"), 2, "others may read or write it; chmod go="),
        (("--key", "{}/open"), 2, "--certificate and --key go together"),
        (("--push", "http://192.0.2.9:9102"), 2, "use https, or add --allow-plain-http"),
        (("--push", "nowhere"), 2, "must be http://HOST:PORT"),
        (("--push", "https://x", "--ca-file", "{}/open"), 2, "not a file of certificates"),
        (("--ca-file", "{}/open"), 2, "goes with --push"),
        (("--spool", "{}/absent"), 2, "No such file or directory; name a directory"),
    ],
)
def test_what_would_not_be_safe_or_cannot_be_is_refused_before_anything_begins(
    capsys, bystander, tmp_path, arguments, code, words
):
    (tmp_path / "open").write_text("s3cret-of-16-letters")
    (tmp_path / "open").chmod(0o644)
    arguments = [word.format(tmp_path) for word in arguments]

    assert (got := refused(capsys, "--pid", bystander.pid, *arguments))[0] == code
    assert words in got[1]


def test_an_address_that_is_none_is_refused():
    with pytest.raises(ConfigError, match=r"--bind no\.such\.invalid: not an address"):
        bind_address("no.such.invalid")


@pytest.mark.parametrize(
    ("host", "address"), [("localhost", r"127\.0\.0\.1|::1"), ("127.0.0.9", r"127\.0\.0\.9")]
)
def test_names_become_addresses(host, address):
    assert re.fullmatch(address, bind_address(host))
