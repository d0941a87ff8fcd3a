"""The Capacity tab in Locust's web UI, and the page /capacity/ that also serves before and after."""

from locust.env import Environment

import json
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from capacity.loadgen.arguments import options_of
from capacity.loadgen.master.session import Session
from capacity.loadgen.web.table import COLUMNS, status_of, table_of

KEY = "capacity"
_STRUCTURE = [{"key": key, "title": title} for key, title in COLUMNS]


def mount(environment: Environment, session: Session) -> None:
    """Add the tab and the page to the web UI of *environment*."""
    web_ui = environment.web_ui
    assert web_ui is not None
    assert web_ui.app is not None
    base = options_of(environment).web_base_path or ""
    blueprint = Blueprint(KEY, __name__, url_prefix=f"{base}/capacity", template_folder=".")

    @blueprint.route("/")
    @web_ui.auth_required_if_enabled
    def page() -> str:
        return render_template("capacity.html", columns=COLUMNS)

    @blueprint.route("/data")
    @web_ui.auth_required_if_enabled
    def data() -> Response:
        return jsonify({"status": status_of(session), "rows": table_of(session)})

    @web_ui.app.after_request
    def add_rows(response: Response) -> Response:
        # Locust reuses a response for two seconds: adding the rows twice must do no harm.
        if request.endpoint == "locust.request_stats" and response.is_json:
            document = response.get_json()
            others = [part for part in document.get("extended_stats", []) if part["key"] != KEY]
            document["extended_stats"] = [*others, {"key": KEY, "data": table_of(session)}]
            response.set_data(json.dumps(document))
        return response

    web_ui.app.register_blueprint(blueprint)
    _extend(web_ui.template_args, "extended_tabs", {"title": "Capacity", "key": KEY})
    _extend(web_ui.template_args, "extended_tables", {"key": KEY, "structure": _STRUCTURE})
    _extend(
        web_ui.template_args,
        "extended_csv_files",
        {"href": f"{base}/capacity/", "title": "Capacity page"},
    )


def _extend(template_args: dict[str, Any], name: str, item: dict[str, Any]) -> None:
    template_args[name] = [*template_args.get(name, []), item]
