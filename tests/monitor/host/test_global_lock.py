import os
import sys

import pytest

from capacity.monitor.host.global_lock import has_global_lock


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("/usr/bin/python3.11", True),
        ("/usr/bin/python3", True),
        ("/opt/venv/bin/python3.12 (deleted)", True),
        ("/usr/bin/pypy3.10", True),
        ("/usr/bin/ruby3.1", True),
        ("/usr/bin/python3.13t", False),
        ("/usr/bin/node", False),
        ("/usr/lib/jvm/bin/java", False),
        ("/usr/bin/python-like", False),
    ],
)
def test_the_program_tells_whether_its_threads_take_turns(tmp_path, program, expected):
    (tmp_path / "7").mkdir()
    (tmp_path / "7/exe").symlink_to(program)

    assert has_global_lock(7, str(tmp_path)) is expected


@pytest.mark.skipif(sys.version_info >= (3, 13) and not sys._is_gil_enabled(), reason="no lock")
def test_a_real_interpreter_is_known_and_one_that_is_gone_is_none():

    assert has_global_lock(os.getpid())
    assert not has_global_lock(1 << 22)
