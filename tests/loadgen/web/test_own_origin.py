"""Other sites get nothing from Locust's web UI and change nothing there: against a real process."""

import pytest

from capacity.loadgen.web.own_origin import OwnOriginOnly

EVIL = "http://evil.example"
POSTS = ("/swarm", "/stop", "/stats/reset", "/user", "/capacity/stop")
PAGES = ("/", "/stats/requests", "/logs", "/capacity/", "/capacity/data")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Referer": f"{EVIL}/page"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "evil.example:8089", "Origin": "http://evil.example:8089"},
    ],
    ids=str,
)
def test_no_other_site_changes_anything(web_ui, path, headers):
    assert 403 == web_ui.post(path, **headers).status_code


@pytest.mark.parametrize("path", PAGES)
def test_a_strangers_name_that_leads_here_reads_nothing(web_ui, path):
    answer = web_ui.get(path, Host="evil.example")

    assert 403 == answer.status_code
    assert "here" not in answer.text.replace("anything here", "")


@pytest.mark.parametrize("path", PAGES)
def test_no_answer_lets_other_origins_read_it(web_ui, path):
    answer = web_ui.get(path, Origin=EVIL)

    assert 200 == answer.status_code
    assert [] == [name for name in answer.headers if name.lower().startswith("access-control-")]
    assert "same-origin" == answer.headers["Cross-Origin-Resource-Policy"]
    assert "nosniff" == answer.headers["X-Content-Type-Options"]
    assert "SAMEORIGIN" == answer.headers["X-Frame-Options"]


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "127.9.9.9"])
def test_the_page_of_this_machine_itself_may(web_ui, name):
    port = web_ui.url.rpartition(":")[2]
    headers = {"Host": f"{name}:{port}", "Origin": f"http://{name}:{port}"}

    assert 200 == web_ui.post("/stats/reset", **headers).status_code
    assert (
        200
        == web_ui.post("/stats/reset", **headers | {"Sec-Fetch-Site": "same-origin"}).status_code
    )
    assert 200 == web_ui.get("/capacity/data", **headers).status_code


def test_a_script_without_a_browser_may(web_ui):
    assert 200 == web_ui.post("/stats/reset").status_code


def answer_of(guard, **environ):
    said = []
    body = guard(
        {"REQUEST_METHOD": "GET", **environ},
        lambda status, headers, *_: said.append((status, headers)),
    )
    return said[0][0][:3], b"".join(body)


def application(_environ, start_response):
    start_response("200 OK", [("Access-Control-Allow-Origin", "*"), ("Referrer-Policy", "origin")])
    return [b"secret"]


@pytest.mark.parametrize(
    ("web_host", "names", "host", "status"),
    [
        ("127.0.0.1", (), "10.0.0.5:8089", "403"),
        ("127.0.0.1", ("load.corp",), "load.corp", "200"),
        ("127.0.0.1", ("load.corp",), "LOAD.corp:443", "200"),
        ("", (), "10.0.0.5:8089", "200"),
        ("", (), "[fd00::5]:8089", "200"),
        ("", (), "evil.example", "403"),
        ("0.0.0.0", (), "10.0.0.5", "200"),
        ("::1", (), "10.0.0.5", "403"),
        ("load.corp", (), "load.corp:8089", "200"),
        ("", (), "", "403"),
        ("", (), "127.0.0.1@evil.example", "403"),
        ("", (), "127.0.0.1/evil.example", "403"),
        ("", (), "127.0.0.1.evil.example", "403"),
        ("", (), "[::1", "403"),
    ],
)
def test_which_names_are_its_own(web_host, names, host, status):
    guard = OwnOriginOnly(application, web_host, names)

    assert status == answer_of(guard, HTTP_HOST=host)[0]


def test_what_is_refused_never_reaches_the_application():
    assert b"secret" not in answer_of(OwnOriginOnly(application, ""), HTTP_HOST="evil.example")[1]


def test_a_header_that_the_application_sets_itself_is_not_doubled():
    said = {}

    def note(_status, headers, *_error):
        said["headers"] = headers

    list(OwnOriginOnly(application, "")({"REQUEST_METHOD": "GET", "HTTP_HOST": "[::1]:1"}, note))

    assert ["origin"] == [value for name, value in said["headers"] if name == "Referrer-Policy"]
