"""The soft limit of a real child, and texts that are not as documented."""

import pytest

from capacity.monitor.limits.rlimits import soft_open_files

SET = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (321, 654))"


def test_the_soft_limit_is_the_childs_own(start_child):
    assert soft_open_files(start_child(SET).pid) == 321


def test_unlimited_is_no_number(write_file, tmp_path):
    write_file(
        "7/limits", "Max open files            unlimited            unlimited            files\n"
    )

    assert soft_open_files(7, str(tmp_path)) is None


@pytest.mark.parametrize(
    "text", ["", "Max processes 1 1 processes\n", "Max open files many 1 files\n"]
)
def test_anything_else_is_refused(write_file, tmp_path, text):
    write_file("7/limits", text)
    with pytest.raises(ValueError, match=r"Max open files|invalid literal"):
        soft_open_files(7, str(tmp_path))


def test_a_process_that_is_gone_has_no_limit():
    with pytest.raises(FileNotFoundError):
        soft_open_files(2**22 + 1)
