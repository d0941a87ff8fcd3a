import pytest

from capacity.cli import doctor, measure


@pytest.mark.parametrize("command", [doctor.command, measure.command], ids=["doctor", "measure"])
def test_the_target_has_to_be_named_and_the_profile_is_safe_unless_another_is(command):
    options = {option.name: option for option in command.params}

    assert (True, False) == (options["target"].required, options["profile"].required)
    assert "safe" == options["profile"].default
