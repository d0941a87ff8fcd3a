"""config/README.md says what the models say."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from capacity.settings import demand, dialect, hosts, job, profile, target
from capacity.settings.reference import document
from capacity.settings.yaml_files.key_schema import keys_of

README = Path(__file__).parents[2] / "config" / "README.md"
ADAPTERS = (
    target.ADAPTER,
    profile.ADAPTER,
    job.ADAPTER,
    demand.ADAPTER,
    hosts.ADAPTER,
    dialect.ADAPTER,
)


@pytest.mark.parametrize(
    "adapter", ADAPTERS, ids=["target", "profile", "job", "demand", "hosts", "dialect"]
)
def test_every_key_of_every_model_is_in_the_readme_and_explained(adapter):
    text = README.read_text(encoding="utf-8")
    keys = keys_of(adapter)

    assert len(keys) > 5
    for key in keys:
        assert f"| `{key.path}` |" in text
        assert key.meaning, f"{key.path} has no description"


@pytest.mark.parametrize(
    "model",
    [
        target.Target,
        target.Agent,
        target.DeclaredLimit,
        target.Rest,
        profile.SafeProfile,
        profile.RampProfile,
        profile.BreakProfile,
        profile.ProfileMix,
        job.Job,
        demand.DemandFile,
        demand.DemandMix,
        demand.Reconnecting,
        hosts.Hosts,
        hosts.Host,
    ],
)
def test_no_field_of_a_model_escapes_the_readme(model: type[BaseModel]):
    text = README.read_text(encoding="utf-8")

    for name, field in model.model_fields.items():
        assert f"{name}` |" in text
        assert field.description


def test_the_readme_is_up_to_date():
    assert README.read_text(encoding="utf-8") == document(), (
        "run: python -m capacity.settings.reference > config/README.md"
    )
