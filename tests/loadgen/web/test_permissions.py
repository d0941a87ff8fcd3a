"""What the page may set, against a real Locust: names, and what the operator allowed."""

from argparse import Namespace

import pytest

from capacity.domain.errors import ConfigError
from capacity.loadgen.web.permissions import Permissions

FORM = {"user_count": "1", "spawn_rate": "1", "host": "x"}


def swarm(ui, **form):
    return ui.post("/swarm", {**FORM, **form}).json()


@pytest.mark.parametrize("option", ["capacity_target", "capacity_profile"])
@pytest.mark.parametrize(
    "path", ["/etc/passwd", "./evil.yaml", "../here", "evil.yaml", "nosuch", ""]
)
def test_the_form_takes_names_and_no_paths(web_ui, option, path):
    (web_ui.folder / "evil.yaml").write_text(
        (web_ui.folder / "config/targets/here.yaml").read_text()
    )
    answer = swarm(web_ui, **{option: path})

    assert answer["success"] is False
    assert "choose one of" in answer["message"]
    assert not web_ui.data()["is_busy"]


def test_a_name_with_markup_comes_back_as_json_only(web_ui):
    answer = web_ui.post("/swarm", {**FORM, "capacity_target": "<script>alert(1)</script>"})

    assert "application/json" == answer.headers["Content-Type"].split(";")[0]
    assert "there is no target" in answer.json()["message"]


@pytest.mark.parametrize(
    "option",
    [
        "capacity_run",
        "capacity_resume",
        "capacity_web_allow",
        "html_file",
        "csv_prefix",
        "processes",
        "tags",
    ],
)
def test_nothing_else_can_be_set_from_the_page(web_ui, option):
    answer = swarm(web_ui, **{option: "EVIL"})

    assert answer["success"] is False
    assert f"{option!r} cannot be set from the page" == answer["message"]
    assert not (web_ui.folder / "EVIL").exists()


def test_a_profile_that_breaks_its_target_is_for_the_operator_to_allow(web_ui):
    answer = swarm(web_ui, capacity_profile="shatter")

    assert answer["success"] is False
    assert "--capacity-web-allow break" in answer["message"]


def test_no_message_repeats_what_a_file_says(web_ui):
    answer = swarm(web_ui, capacity_target="invalid")
    pages = [web_ui.get(path).text for path in ("/logs", "/capacity/", "/capacity/data", "/")]

    assert answer["success"] is False
    assert "config/targets/invalid.yaml:2" in answer["message"]
    for text in (answer["message"], *pages):
        assert not any(word in text for word in ("hunter2", "xyzzy", "password-of-a-friend"))


def test_what_the_operator_allowed_can_be_set(start_locust):
    ui = start_locust("--capacity-web-allow", "break,run")
    answer = swarm(ui, capacity_profile="shatter")
    ui.wait(lambda data: "Running" in data["status"])
    busy = swarm(ui)
    ui.post("/stop")

    assert answer["success"] is True
    assert (False, "a run is under way; stop it first") == (busy["success"], busy["message"])


def permitted(**changes):
    options = {
        "capacity_target": "demo",
        "capacity_profile": "safe",
        "capacity_run": "",
        "capacity_resume": "",
        "capacity_web_allow": "",
    }
    return Permissions(Namespace(**options | changes), {"capacity_target", "capacity_profile"})


def test_what_the_operator_started_with_may_be_a_path_and_stays_one(root):
    path = str(root / "config/targets/demo.yaml")
    options = permitted(capacity_target=path, capacity_profile="break").options_from({})
    told = permitted(capacity_target=path).offered("targets")

    assert (path, "break") == (options["capacity_target"], options["capacity_profile"])
    assert path == told[0]


@pytest.mark.parametrize("option", ["run", "resume"])
def test_a_run_is_named_from_the_page_only_where_that_is_allowed(option):
    form = {f"capacity_{option}": "mine-1"}
    with pytest.raises(ConfigError, match=f"--capacity-web-allow {option}"):
        permitted().options_from(form)

    options = permitted(capacity_web_allow=f"break, {option}").options_from(form)
    assert "reports/runs/mine-1" == options[f"capacity_{option}"]


@pytest.mark.parametrize("name", ["/tmp/x", "../x", "a/b", ".", "..", "a.b", "ü", "-", "a\n"])
def test_the_name_of_a_run_leads_nowhere_else(name):
    with pytest.raises(ConfigError, match="a name under reports/runs"):
        permitted(capacity_web_allow="run").options_from({"capacity_run": name})


def test_an_unknown_word_of_permission_is_refused():
    with pytest.raises(ConfigError, match=r"--capacity-web-allow brake: choose among break"):
        permitted(capacity_web_allow="brake")


def test_of_locusts_own_form_only_what_is_in_it_can_be_set():
    permitted().check_locusts({"capacity_target": "demo", "capacity_profile": "safe"})
    with pytest.raises(ConfigError, match="'tags' cannot be set from the page"):
        permitted().check_locusts({"tags": "a"})
