"""Names and paths of settings files."""

from pathlib import Path

import pytest

import capacity
from capacity.domain.errors import ConfigError
from capacity.settings.locate import beside, beside_if_path, find, names_of, shipped

SHIPPED = Path(capacity.__file__).parent.parent / "config"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_name_is_found_in_the_current_folder_s_config_first(here):
    mine = here / "config" / "targets" / "demo.yaml"
    mine.parent.mkdir(parents=True)
    mine.touch()

    assert find("targets", "demo").resolve() == mine


def test_a_shipped_name_is_found_from_anywhere(here):
    assert find("targets", "demo") == SHIPPED / "targets" / "demo.yaml"


@pytest.mark.parametrize("path", ["./mine", "mine.yaml", "some/where.yml", "/dev/stdin"])
def test_whatever_looks_like_a_path_is_taken_as_it_is(here, path):
    assert find("targets", path) == Path(path)


def test_an_unknown_name_lists_what_there_is(here):
    folder = here / "config" / "things"
    folder.mkdir(parents=True)
    for name in ("small.yaml", "large.yml", "notes.txt"):
        (folder / name).touch()
    with pytest.raises(ConfigError) as error:
        find("things", "smal")

    assert str(error.value).startswith(
        f"config/things has no 'smal', nor has {SHIPPED}/things, which is shipped; "
        "did you mean small? give one of large, small"
    )


def test_where_both_places_are_one_it_is_named_once(monkeypatch):
    monkeypatch.chdir(SHIPPED.parent)
    with pytest.raises(ConfigError) as error:
        find("targets", "dem")

    assert str(error.value).startswith("config/targets has no 'dem'; did you mean demo? ")


def test_an_installed_package_brings_its_own_folders_and_asks_nobody_beside_it(
    tmp_path, monkeypatch
):
    package = tmp_path / "site-packages" / "capacity"
    monkeypatch.setattr(capacity, "__file__", str(package / "__init__.py"))
    assert package.parent / "config" == shipped("config")

    (package / "data" / "config").mkdir(parents=True)
    assert package / "data" / "config" == shipped("config")


@pytest.mark.parametrize("name", ["", "demo\0", "x" * 5000, ".."])
def test_an_impossible_name_is_refused_in_one_sentence(here, name):
    with pytest.raises(ConfigError, match=r"^config/targets has no ") as error:
        find("targets", name)

    assert "\n" not in str(error.value)


def test_an_empty_kind_asks_for_a_path(here):
    with pytest.raises(ConfigError) as error:
        find("no-such-kind", "a")

    assert str(error.value) == (
        f"config/no-such-kind has no 'a', nor has {SHIPPED}/no-such-kind, which is shipped; give a path"
    )


def test_what_is_named_in_a_file_is_beside_it_unless_only_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "only-here").write_text("")
    (tmp_path / "both").write_text("")
    (tmp_path / "sub" / "both").write_text("")
    folder = Path("sub")

    assert [beside(folder, name) for name in ("only-here", "both", "neither")] == [
        "only-here",
        "sub/both",
        "sub/neither",
    ]
    assert beside(folder, str(tmp_path / "both")) == str(tmp_path / "both")
    assert beside_if_path(folder, "deribit") == "deribit"
    assert beside_if_path(folder, "both.yaml") == "sub/both.yaml"


def test_the_names_of_a_kind_are_those_that_can_be_found(here):
    names = names_of("profiles")

    assert {"safe", "break"} <= set(names)
    assert names == sorted(names)
    assert all(find("profiles", name).is_file() for name in names)
    assert [] == names_of("nosuch")


def test_what_is_no_job_is_not_offered_as_one(here):
    with pytest.raises(ConfigError) as error:
        find("schedule", "cronjop")

    assert "one of nightly, or a path" in str(error.value)
    assert find("schedule", "nightly") == SHIPPED / "schedule" / "nightly.yaml"
