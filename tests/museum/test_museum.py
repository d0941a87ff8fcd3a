"""The museum's pages say what was recorded, and its verdicts are what they claim to be."""

import runpy
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def museum():
    """Return the museum's modules as `make museum` runs them."""
    before = set(sys.modules)
    folders = [str(HERE), str(HERE.parent / "validation")]
    sys.path[:0] = folders
    try:
        names = ("page", "judging", "gallery")
        yield {name: runpy.run_path(str(HERE / f"{name}.py")) for name in names}
    finally:
        for folder in folders:
            sys.path.remove(folder)
        for path in (*HERE.glob("*.py"), *(HERE.parent / "validation").glob("*.py")):
            if path.stem not in before:
                sys.modules.pop(path.stem, None)


def outcome(scene="incident", *, mid=1000.0, truth=1000.0, opened=250, **changed):
    capacity = {"low": mid, "mid": mid, "high": mid, "confidence": 0.9}
    return {
        "exhibit": "any",
        "scene": scene,
        "binding": "descriptors",
        "load": 1500,
        "is_storm": False,
        "abstains_with": [],
        "prediction": {"binding": "descriptors", "capacity": capacity, "safe_capacity": mid},
        "harm": {"highest_opened": opened, "guards": []},
        "truth": truth,
        **changed,
    }


def test_every_exhibit_has_a_page_and_every_page_an_exhibit(museum):
    folders = {path.parent.name for path in HERE.glob("*/README.md")}

    assert folders == {each.folder for each in museum["gallery"]["exhibits"]()}
    assert len(folders) == 12


def test_pages_and_index_say_what_was_recorded(museum):
    page = museum["page"]
    newest, counts = page["read_outcomes"]()

    for path, text in page["written"](newest, counts).items():
        assert path.read_text() == text, f"{path}: run tests/museum/page.py"


def test_no_limit_of_an_exhibit_is_declared(museum):
    for exhibit in museum["gallery"]["exhibits"]():
        for case in exhibit.scenes().values():
            assert not case.declared, exhibit.folder
            assert not case.fraction, exhibit.folder


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({"mid": 1099.0}, "named"),
        ({"mid": 1101.0}, "missed"),
        ({"mid": 901.0}, "named"),
        ({"mid": 899.0}, "missed"),
        ({"opened": 260}, "named"),
        ({"opened": 261}, "missed"),
        ({"opened": 900, "is_storm": True}, "named"),
        ({"binding": "threads"}, "missed"),
        ({"prediction": {"excuse": "memory rose"}}, "missed"),
        ({"prediction": {"excuse": "memory rose"}, "abstains_with": ["memory"]}, "abstained"),
        ({"prediction": {"excuse": "no agent"}, "abstains_with": ["memory"]}, "missed"),
        (
            {
                "prediction": {
                    "capacity": {"mid": 632.0},
                    "binding": "unknown",
                    "statements": ["limits are not seen"],
                },
                "abstains_with": ["limits are not seen"],
            },
            "missed",
        ),
    ],
)
def test_an_incident_is_named_abstained_from_or_missed(museum, changed, verdict):
    assert verdict == museum["judging"]["verdict"](outcome(**changed))


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({"mid": 1500.0}, "quiet"),
        ({"mid": 1499.0}, "false alarm"),
        ({"mid": 9000.0, "harm": {"guards": ["memory"]}}, "false alarm"),
        ({"prediction": {"excuse": "no agent"}}, "silent"),
    ],
)
def test_a_twin_is_quiet_unless_it_is_said_not_to_hold_the_load(museum, changed, verdict):
    assert verdict == museum["judging"]["verdict"](outcome("twin", **changed))
