"""Values that stand in no settings file."""

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.secrets import (
    MOST_BYTES,
    anchored,
    header_values,
    headers_for_others,
    open_to_others,
    secret_text,
)
from capacity.workload.dialects.endpoints import Secret


@pytest.mark.parametrize("content", ["s3cret", "s3cret\n", "s3cret\r\n"])
def test_a_file_holds_a_secret_with_or_without_its_last_newline(tmp_path, content):
    file = tmp_path / "key"
    file.write_bytes(content.encode())

    assert "s3cret" == secret_text(Secret(file=str(file)), "headers.X")


def test_the_environment_holds_a_secret_by_name(monkeypatch):
    monkeypatch.setenv("FEED_KEY", "s3cret")

    assert "s3cret" == secret_text(Secret(env="FEED_KEY"), "headers.X")


def test_what_is_not_there_is_named_and_the_value_never(tmp_path, monkeypatch):
    monkeypatch.delenv("FEED_KEY", raising=False)
    with pytest.raises(ConfigError, match=r"headers.X: the environment has no FEED_KEY; set it"):
        secret_text(Secret(env="FEED_KEY"), "headers.X")
    with pytest.raises(ConfigError, match=r"headers.X: .*gone cannot be read: No such file"):
        secret_text(Secret(file=str(tmp_path / "gone")), "headers.X")
    (tmp_path / "binary").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"binary cannot be read: is no UTF-8 text"):
        secret_text(Secret(file=str(tmp_path / "binary")), "headers.X")


@pytest.mark.parametrize(("size", "is_read"), [(MOST_BYTES, True), (MOST_BYTES + 1, False)])
def test_a_file_of_any_size_is_no_secret(tmp_path, size, is_read):
    file = tmp_path / "key"
    file.write_bytes(b"x" * size)

    if is_read:
        assert size == len(secret_text(Secret(file=str(file)), "x"))
    else:
        with pytest.raises(ConfigError, match="is larger than"):
            secret_text(Secret(file=str(file)), "x")


def test_a_later_header_takes_the_place_of_an_earlier_one_whatever_its_case(tmp_path):
    (tmp_path / "token").touch(0o600)
    (tmp_path / "token").write_text("abc\n")
    layers = (
        ("ws.headers", {"X-Key": "one", "Host": "a.test"}),
        ("headers", {"x-key": "Bearer {token}", "Y": Secret(file=str(tmp_path / "token"))}),
    )

    assert header_values(layers, {"token": "t"}) == {
        "x-key": "Bearer t",
        "Host": "a.test",
        "Y": "abc",
    }


def test_headers_whose_files_others_may_read_are_told(tmp_path):
    for name, mode in (("kept", 0o600), ("open", 0o644)):
        (tmp_path / name).write_text("s3cret\n")
        (tmp_path / name).chmod(mode)
    headers = {"A": "text", "B": Secret(env="KEY")}
    headers |= {name: Secret(file=str(tmp_path / name)) for name in ("kept", "open")}

    assert headers_for_others([("headers", headers)]) == [
        ("headers.open.file", str(tmp_path / "open"))
    ]


@pytest.mark.parametrize("secret", ["a\r\nX-Evil: 1", " a", "a\tb"])
def test_a_value_that_is_no_line_of_a_header_is_refused_and_not_shown(secret):
    with pytest.raises(ConfigError) as error:
        header_values((("headers", {"X": "{secret}"}),), {"secret": secret})

    assert "headers.X: its value is no single line of visible characters" == str(error.value)


def test_files_are_relative_to_the_file_that_names_them(tmp_path):
    headers = {"A": Secret(file="key"), "B": "text", "C": Secret(env="E")}

    assert anchored(headers, tmp_path) == {**headers, "A": Secret(file=str(tmp_path / "key"))}


@pytest.mark.parametrize(("mode", "is_open"), [(0o640, False), (0o644, True), (0o602, True)])
def test_a_file_that_others_may_read_or_write_is_told(tmp_path, mode, is_open):
    file = tmp_path / "key"
    file.write_text("a")
    file.chmod(mode)

    assert is_open == open_to_others(file)
    assert not open_to_others(tmp_path / "none")
