"""What `capacity init` writes, refuses, and leaves behind."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from capacity.cli.init import command, lay_out
from capacity.domain.errors import ConfigError
from capacity.settings.locate import find


def files_below(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_both_folders_are_written_whole_and_every_file_is_told(tmp_path, monkeypatch, root):
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(command)

    assert 0 == ended.exit_code
    assert ended.stdout.splitlines() == sorted(
        str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()
    )
    for folder in ("config", "locustfiles"):
        assert files_below(root / folder) == files_below(tmp_path / folder)
    assert "config/targets/mine.yaml" in ended.stderr


@pytest.mark.parametrize("folder", [".", "new/place"])
def test_a_folder_can_be_named_and_is_made(tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(command, [folder])

    assert 0 == ended.exit_code
    assert (tmp_path / folder / "config" / "targets" / "demo.yaml").is_file()


def test_what_was_written_is_found_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path)

    assert tmp_path / "config" / "targets" / "demo.yaml" == find("targets", "demo").resolve()


@pytest.mark.parametrize("folder", ["config", "locustfiles"])
@pytest.mark.parametrize("make", ["mkdir", "touch"])
def test_what_is_there_is_never_overwritten(tmp_path, folder, make):
    getattr(tmp_path / folder, make)()
    with pytest.raises(ConfigError, match=f"{folder}: is there already and is never overwritten"):
        lay_out(tmp_path)

    assert [tmp_path / folder] == list(tmp_path.iterdir())


def test_a_broken_link_is_something_too(tmp_path):
    (tmp_path / "config").symlink_to("nowhere")
    with pytest.raises(ConfigError, match="is there already"):
        lay_out(tmp_path)


def test_a_folder_that_cannot_be_written_is_named_in_one_sentence():
    with pytest.raises(
        ConfigError, match=r"^/proc: cannot write config/ and locustfiles/"
    ) as error:
        lay_out(Path("/proc"))

    assert "\n" not in str(error.value)
