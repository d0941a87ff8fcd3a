import re
from pathlib import Path

from capacity.loadgen.run_path import new_run_path


def test_a_run_is_named_after_its_moment_its_target_and_its_profile(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = new_run_path("demo", "safe")

    assert Path("reports/runs") == path.parent
    assert re.fullmatch(r"\d{8}T\d{6}Z-demo-safe", path.name)


def test_runs_of_the_same_second_have_different_directories(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.strftime", lambda *_: "20260102T030405Z")
    paths = []
    for _ in range(3):
        paths.append(new_run_path("demo", "safe"))
        paths[-1].mkdir(parents=True)

    assert [f"20260102T030405Z-demo-safe{end}" for end in ("", "-2", "-3")] == [
        path.name for path in paths
    ]


def test_names_sort_by_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    moments = iter(["20251231T235959Z", "20260101T000000Z"])
    monkeypatch.setattr("time.strftime", lambda *_: next(moments))
    names = [new_run_path(target, "safe").name for target in ("zebra", "ant")]

    assert names == sorted(names)
