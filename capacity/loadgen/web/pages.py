"""The Capacity tab in Locust's web UI, and the page /capacity/ that also serves before and after."""

from locust.argument_parser import get_parser
from locust.env import Environment

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import gevent
from flask import Blueprint, Response, jsonify, redirect, request, send_file
from markupsafe import escape
from werkzeug.wrappers import Response as AnyResponse

from capacity.domain.errors import ConfigError
from capacity.loadgen.arguments import options_of
from capacity.loadgen.master.session import Session
from capacity.loadgen.web.live_page import LivePage, state_of
from capacity.loadgen.web.own_origin import OwnOriginOnly
from capacity.loadgen.web.permissions import Permissions
from capacity.loadgen.web.report import FILES
from capacity.loadgen.web.table import COLUMNS, table_of

KEY = "capacity"
BUSY = "a run is under way; stop it first"
_ASSETS = {"live.css": "text/css", "live.js": "text/javascript", "tab.js": "text/javascript"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
"""Only what is served here, and nothing that a name could bring along."""
_REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
_STRUCTURE = [{"key": key, "title": title} for key, title in COLUMNS]


def mount(environment: Environment, session: Session) -> None:
    """Add the tab and the page to the web UI of *environment*. Raises ConfigError."""
    options = options_of(environment)
    web_ui: Any = environment.web_ui
    names = options.capacity_web_names.replace(",", " ").split()
    web_ui.app.wsgi_app = OwnOriginOnly(web_ui.app.wsgi_app, web_ui.host, names)
    permissions = Permissions(options, get_parser().args_included_in_web_ui)
    base = options.web_base_path or ""
    blueprint = Blueprint(KEY, __name__, url_prefix=f"{base}/capacity", template_folder=".")
    page = LivePage(environment, session, permissions, f"{base}/capacity/")
    _add_pages(blueprint, web_ui, _Views(session, permissions, page), page)
    web_ui.app.register_blueprint(blueprint)
    _look_at_locusts_forms(web_ui, session, permissions)
    _extend_locusts_page(web_ui, session, base)


class _Views:
    """What is answered under /capacity/."""

    def __init__(self, session: Session, permissions: Permissions, page: LivePage) -> None:
        self._session, self._permissions, self._page = session, permissions, page

    def asset(self, name: str) -> AnyResponse:
        if name not in _ASSETS:
            return Response(status=404)
        return Response(Path(__file__).with_name(name).read_bytes(), mimetype=_ASSETS[name])

    def data(self) -> Response:
        return jsonify({**state_of(self._session), "rows": table_of(self._session)})

    def check(self) -> AnyResponse:
        if (options := self._asked()) is not None:
            self._page.check(options, request.form)
        return redirect("./", 303)

    def start(self) -> AnyResponse:
        if (options := self._asked()) is not None:
            self._page.start(options, request.form)
        return redirect("./", 303)

    def stop(self) -> AnyResponse:
        gevent.spawn(self._session.stop)
        return redirect("./", 303)

    def stop_after_step(self) -> AnyResponse:
        self._session.stop_after_step()
        return redirect("./", 303)

    def report(self, name: str) -> AnyResponse:
        controller = self._session.controller
        run = None if controller is None else controller.recorder.path
        file = self._page.report.file(name, run)
        if file is None:
            told = "There is no such file of this session's run.\n"
            return Response(told, 404, mimetype="text/plain")
        answer = send_file(file, mimetype=FILES[name], max_age=0)
        answer.headers["Content-Security-Policy"] = _REPORT_POLICY
        return answer

    def _asked(self) -> dict[str, str] | None:
        """Return our options as the form sets them, None where it may not, or a run is under way."""
        if self._session.is_busy:
            return None  # The page shows the run instead of the form.
        try:
            return self._permissions.options_from(request.form)
        except ConfigError as error:
            self._page.refuse(str(error), request.form)
            return None


def _add_pages(blueprint: Blueprint, web_ui: Any, views: _Views, page: LivePage) -> None:
    for path, method, view in (
        ("/", "GET", page.render),
        ("/<name>", "GET", views.asset),
        ("/data", "GET", views.data),
        ("/report/<name>", "GET", views.report),
        ("/check", "POST", views.check),
        ("/start", "POST", views.start),
        ("/stop", "POST", views.stop),
        ("/stop-after-step", "POST", views.stop_after_step),
    ):
        blueprint.add_url_rule(
            path, view_func=web_ui.auth_required_if_enabled(view), methods=[method]
        )
    blueprint.after_request(_with_policy)


def _with_policy(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _look_at_locusts_forms(web_ui: Any, session: Session, permissions: Permissions) -> None:
    """Keep Locust's form to what it may set, and tell in it why a run cannot begin."""

    def look() -> Response | None:
        if request.endpoint == "locust.stop":
            session.note_stop()
        if request.endpoint != "locust.swarm":
            return None
        trouble = BUSY if session.is_busy else None
        try:
            permissions.check_locusts(request.form)
        except ConfigError as error:
            trouble = str(error)
        if trouble is None:
            return None
        return jsonify({"success": False, "message": trouble, "host": ""})

    web_ui.app.before_request(look)
    # Its class picker would run without a shape where none is chosen; ours is the only one.
    web_ui._update_shape_class = lambda _name: None  # noqa: SLF001


def _extend_locusts_page(web_ui: Any, session: Session, base: str) -> None:
    place = escape(f"{base}/capacity/")

    def add_ours(response: Response) -> Response:
        # Locust reuses a response for two seconds: adding the rows twice must do no harm.
        if request.endpoint == "locust.request_stats" and response.is_json:
            document = response.get_json()
            others = [part for part in document.get("extended_stats", []) if part["key"] != KEY]
            document["extended_stats"] = [*others, {"key": KEY, "data": table_of(session)}]
            response.set_data(json.dumps(document))
        elif request.endpoint == "locust.swarm" and response.is_json:
            # Locust shows the host that its form was loaded with: the target of the run before.
            response.set_data(json.dumps({**response.get_json(), "host": session.host}))
        elif request.endpoint == "locust.index" and response.status_code == HTTPStatus.OK:
            script = f'<script defer src="{place}tab.js" data-place="{place}"></script></body>'
            response.set_data(response.get_data(as_text=True).replace("</body>", script))
        return response

    web_ui.app.after_request(add_ours)
    for name, item in (
        ("extended_tabs", {"title": "Capacity", "key": KEY}),
        ("extended_tables", {"key": KEY, "structure": _STRUCTURE}),
        ("extended_csv_files", {"href": f"{base}/capacity/", "title": "Capacity page"}),
    ):
        web_ui.template_args[name] = [*web_ui.template_args.get(name, []), item]
