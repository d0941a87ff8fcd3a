"""The page /capacity/ as the server renders it: complete without a script, which only renews it."""

from locust.env import Environment

from collections.abc import Mapping
from typing import Any

from flask import render_template

from capacity.domain import units
from capacity.loadgen.arguments import options_of
from capacity.loadgen.master.controller import Controller
from capacity.loadgen.master.run_endings import INTERRUPTED, in_words, is_all_void
from capacity.loadgen.master.session import Session
from capacity.loadgen.master.workers.check_in import present_workers
from capacity.loadgen.web import live_drawings
from capacity.loadgen.web.checks import STEP_COLUMNS, Preview, preview_of
from capacity.loadgen.web.live_view import run_name, view_of
from capacity.loadgen.web.permissions import BREAK, Permissions
from capacity.loadgen.web.report import FILES, Report
from capacity.loadgen.web.table import status_of
from capacity.settings.locate import names_of

_KINDS = {"ok": "ok", "warning": "near", "failure": "bad", "unknown": "caveat"}
_NAMES = {"run": "Name of the run", "resume": "Run to go on with"}


class LivePage:
    """What the page shows of a session, and what its forms have asked for."""

    def __init__(
        self, environment: Environment, session: Session, permissions: Permissions, here: str
    ) -> None:
        self._environment = environment
        self._session = session
        self._permissions = permissions
        self._here = here
        self._chosen: dict[str, str] = {}
        """What the form was sent with last."""
        self.report = Report()
        self.preview: Preview | None = None
        self.refusal = ""
        """Why the form was not followed last."""

    def check(self, options: Mapping[str, str], form: Mapping[str, str]) -> None:
        """Look at target and generator for a preview of a run with *options*."""
        self._keep(options, form)
        workers = max(1, len(present_workers(self._environment)))
        target, profile = options["capacity_target"], options["capacity_profile"]
        self.preview = preview_of(target, profile, workers)

    def start(self, options: Mapping[str, str], form: Mapping[str, str]) -> None:
        """Begin a run with *options*; *form* has what its report is to be sized for."""
        self._keep(options, form)
        self._session.start(**options)

    def refuse(self, reason: str, form: Mapping[str, str]) -> None:
        """Say why *form* is not followed; what it chose stays chosen, an earlier preview goes."""
        kept = ("capacity_target", "capacity_profile")
        self._keep({**self._chosen, **{key: form[key] for key in kept if key in form}}, form)
        self.refusal = reason

    def _keep(self, options: Mapping[str, str], form: Mapping[str, str]) -> None:
        self.refusal, self.preview = "", None
        self._chosen = {**options}
        for kind in ("demand", "hosts"):
            if form.get(kind) in names_of(kind):
                self._chosen[kind] = form[kind]

    def render(self) -> str:
        session, controller = self._session, self._session.controller
        run = controller.recorder.path if controller is not None and controller.is_over else None
        if run is not None:
            self.report.follow(run, self._chosen.get("demand", ""), self._chosen.get("hosts", ""))
        state, word = self._state()
        return render_template(
            "capacity.html",
            here=self._here,
            status=status_of(session),
            sentence=_sentence(session),
            state=state,
            state_word=word,
            asked=self._asked(),
            view=None if (shown := session.shown) is None else view_of(shown),
            is_busy=session.is_busy,
            can_stop_later=controller is not None and not controller.stops_after_step,
            report=self.report.file(next(iter(FILES)), run),
            is_reporting=self.report.is_being_made,
            report_problem=self.report.problem,
            choices=self._choices(),
            names=[
                (f"capacity_{word}", label)
                for word, label in _NAMES.items()
                if word in self._permissions.allowed
            ],
            can_break=BREAK in self._permissions.allowed,
            refusal=self.refusal,
            preview=self.preview,
            step_columns=STEP_COLUMNS,
            kinds=_KINDS,
            bar=live_drawings.bar,
            share=units.share,
        )

    def _state(self) -> tuple[str, str]:
        """Return how good it is, and one word for it."""
        session, controller = self._session, self._session.controller
        if session.is_beginning:
            return "running", "Checking"
        if session.problem is not None:
            return "bad", "Refused"
        if controller is None:
            return "idle", "No run yet"
        if controller.ending is None:
            return "running", "Running"
        return _ended(controller)

    def _asked(self) -> str:
        """Return target and profile of the run that the page is about, nothing before the first."""
        session, controller = self._session, self._session.controller
        if session.is_beginning or session.problem is not None:
            return session.chosen
        return "" if controller is None else run_name(controller)

    def _choices(self) -> list[tuple[str, str, list[str], str]]:
        """Return name, label, values and the chosen one of every list of the form."""
        chosen = {**vars(options_of(self._environment)), **self._chosen}
        offered = self._permissions.offered
        return [
            ("capacity_target", "Target", offered("targets"), chosen["capacity_target"]),
            ("capacity_profile", "Load profile", offered("profiles"), chosen["capacity_profile"]),
            ("demand", "Size for demand", ["", *names_of("demand")], chosen.get("demand", "")),
            ("hosts", "On host types", ["", *names_of("hosts")], chosen.get("hosts", "")),
        ]


def _sentence(session: Session) -> str:
    """Return what follows the one word of the page's state."""
    controller = session.controller
    if session.is_beginning or session.problem is not None:
        return session.problem or status_of(session)
    if controller is None:
        return "Choose a target and a load profile below."
    where = f"The record is in {controller.recorder.path}."
    if controller.ending is None:
        return where
    return f"{in_words(controller.ending, controller.observations)} {where}"


def _ended(controller: Controller) -> tuple[str, str]:
    """Return how good an end was, and one word for it."""
    if controller.exit_code == INTERRUPTED:
        return "idle", "Stopped"
    if controller.ending is None or controller.ending[0] != "finished":
        return "bad", "Ended early"
    if is_all_void(controller.observations):
        return "bad", "Finished without a result"
    return "good", "Finished"


def state_of(session: Session) -> dict[str, Any]:
    """Return how a session stands in a few words and numbers, for scripts."""
    controller = session.shown
    ending = None if controller is None else controller.ending
    is_harmed = ending is not None and ending[1].get("exit_code", 0) not in {0, INTERRUPTED}
    exit_code = session.problem_exit_code if controller is None else controller.exit_code
    open_connections = None
    if controller is not None:  # Its last count is of before the load was taken off.
        open_connections = controller.open_connections if session.is_busy else 0
    return {
        "status": status_of(session),
        "is_busy": session.is_busy,
        "is_bad": session.problem is not None or is_harmed,
        "exit_code": None if session.is_busy else exit_code,
        "open_connections": open_connections,
        "run": None if controller is None else str(controller.recorder.path),
    }
