import subprocess
import sys

import pytest
from pydantic import TypeAdapter, ValidationError

from capacity.settings.yaml_files.models import Name


@pytest.mark.parametrize("name", ["a", "A1", "x" * 60, "night.ly_1-b"])
def test_a_name_may_become_part_of_a_file_name(name):
    assert TypeAdapter(Name).validate_python(name) == name


@pytest.mark.parametrize("name", ["", "x" * 61, ".hidden", "-x", "a/b", "a b", "a\n"])
def test_what_may_not_is_refused(name):
    with pytest.raises(ValidationError, match="must be 1 to 60 letters"):
        TypeAdapter(Name).validate_python(name)


@pytest.mark.parametrize("module", ["capacity.cli.plan", "capacity.cli.report"])
def test_plan_and_report_wait_for_nothing_that_they_do_not_need(module):
    asked = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "capacity.domain.plan" in loaded
    assert not {"scipy", "gevent", "locust", "capacity.settings.dialect"} & set(loaded)
