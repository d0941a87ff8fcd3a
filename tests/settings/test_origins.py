import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.origins import DEFAULT, settings_in


@pytest.fixture
def job(tmp_path, root):
    path = tmp_path / "job.yaml"
    path.write_text(
        "job: 1\nname: nightly\ntarget: demo\nprofile: safe\n\nformats:\n  - html\n  - md\n"
    )
    return path


def test_what_is_written_names_its_line_and_all_else_is_default(job):
    found = {each.key: (each.value, each.origin) for each in settings_in("job", job)}

    assert found["name"] == ("nightly", f"{job}:2")
    assert found["formats[1]"] == ("md", f"{job}:8")
    assert found["max_duration_s"] == (900.0, DEFAULT)
    assert found["publish"] == ([], DEFAULT)


def test_every_shipped_target_and_profile_can_be_shown(root):
    for kind, folder in (("target", "targets"), ("profile", "profiles"), ("demand", "demand")):
        for path in sorted((root / "config" / folder).glob("*.yaml")):
            found = settings_in(kind, path)

            assert any(each.origin != DEFAULT for each in found)
            assert len({each.key for each in found}) == len(found)


def test_what_is_wrong_is_told_as_everywhere(job):
    job.write_text(job.read_text().replace("formats", "formatz"))
    with pytest.raises(
        ConfigError, match=r"job\.yaml:6: formatz: unknown key; did you mean formats"
    ):
        settings_in("job", job)
