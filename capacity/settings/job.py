"""config/schedule/*.yaml: one run to be repeated by systemd, cron or Kubernetes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, TypeAdapter, field_validator

from capacity.domain.errors import ConfigError
from capacity.settings.locate import find
from capacity.settings.yaml_files.models import RULES, Name
from capacity.settings.yaml_files.yaml_file import Finding, load


class Job(BaseModel):
    model_config = RULES
    job: Literal[1]
    """Version of this file format."""
    name: Name
    """Name of the job in run directories and history; letters, digits, dot, dash, underscore."""
    target: str
    """Name or path of the target."""
    profile: str
    """Name or path of the profile."""
    workers: Annotated[int, Field(ge=1, le=1000)] = 1
    """Locust worker processes."""
    max_duration_s: Annotated[float, Field(gt=0, le=604_800)] = 900.0
    """Time limit of the run in seconds."""
    history: str = "reports/history.sqlite"
    """SQLite file, or database URL without a password, that keeps one row for each run."""
    formats: Annotated[tuple[Literal["html", "md", "json"], ...], Field(min_length=1)] = (
        "html",
        "md",
        "json",
    )
    """Reports to write into the run directory."""
    rules: str | None = None
    """Rules file to check after the run, such as config/rules.yaml; null: none."""
    publish: tuple[str, ...] = ()
    """Directories that keep the report with an index page, and who is told: https://…, env:NAME (a webhook whose address the environment has), mailto:…."""
    every_h: Annotated[float, Field(gt=0, le=8760)] | None = None
    """Hours from run to run, by which missing ones are noticed; null: not looked for."""
    keep_runs_days: Annotated[float, Field(ge=0, le=36_500)] = 30.0
    """Days after which run directories are removed; the history keeps their rows."""

    @field_validator("history")
    @classmethod
    def _has_no_password(cls, history: str) -> str:
        if "://" in history and urlsplit(history).password is not None:
            raise ValueError("must not carry a password; the database's own password file has it")
        return history


ADAPTER = TypeAdapter(Job)


def load_job(path: Path) -> Job:
    """Return the job in *path*; its target and profile exist. Raises ConfigError."""
    return load(path, ADAPTER, _findings)


def _findings(job: Job) -> Iterator[Finding]:
    for kind, name in (("target", job.target), ("profile", job.profile)):
        try:
            find(f"{kind}s", name)
        except ConfigError as error:
            yield (kind,), str(error)
