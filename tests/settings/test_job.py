"""Job files."""

from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.job import load_job

CONFIG = Path(__file__).parents[2] / "config"
NIGHTLY = CONFIG / "schedule" / "nightly.yaml"
GOOD = "job: 1\nname: j\ntarget: demo\nprofile: safe\n"


def names(folder):
    return ", ".join(sorted(path.stem for path in (CONFIG / folder).glob("*.yaml")))


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text):
        Path("j.yaml").write_text(text)
        return Path("j.yaml")

    return write


def test_a_job_needs_only_a_target_and_a_profile(file):
    job = load_job(file(GOOD))

    assert (job.workers, job.max_duration_s, job.keep_runs_days) == (1, 900.0, 30.0)
    assert job.history == "reports/history.sqlite"
    assert job.formats == ("html", "md", "json")


def test_the_shipped_job_loads():
    assert load_job(NIGHTLY).name == "nightly"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            GOOD + "formats: [html, pdf]",
            "5: formats[1]: must be 'html', 'md' or 'json' (got \"pdf\")",
        ),
        (GOOD + "workers: 0", "5: workers: must be greater than or equal to 1 (got 0)"),
        (
            GOOD + "history: postgresql://me:secret@db/capacity",
            "5: history: must not carry a password; the database's own password file has it",
        ),
        (GOOD + "max_duration_s: 1h", '5: max_duration_s: must be a number (got "1h")'),
        (
            GOOD.replace("demo", "dem"),
            (
                f"3: target: config/targets has no 'dem', nor has {CONFIG}/targets, which is shipped; "
                "did you mean demo? give one of "
                f"{names('targets')}, or a path"
            ),
        ),
        (
            GOOD.replace("safe", "saef"),
            (
                f"4: profile: config/profiles has no 'saef', nor has {CONFIG}/profiles, which is shipped; "
                "did you mean safe? give one of "
                f"{names('profiles')}, or a path"
            ),
        ),
    ],
)
def test_a_job_that_cannot_be_is_refused_with_its_line(file, text, problem):
    with pytest.raises(ConfigError) as error:
        load_job(file(text))

    assert str(error.value) == f"j.yaml:{problem}"
