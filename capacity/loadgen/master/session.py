"""Begins a run when Locust's load shape first asks, and ends it when Locust stops."""

from locust.env import Environment
from locust.runners import MasterRunner

import logging
from pathlib import Path
from typing import Any

from capacity.domain.errors import CapacityError, PreflightError
from capacity.loadgen.arguments import options_of
from capacity.loadgen.master.controller import Controller
from capacity.loadgen.master.limit_search import trials_to_resume
from capacity.loadgen.protocol import messages
from capacity.loadgen.run_path import new_run_path
from capacity.recording.ending import ending_of, write_ending
from capacity.settings.locate import find
from capacity.settings.profile import load_profile
from capacity.settings.target import load_target

logger = logging.getLogger(__name__)

_NOT_COME = (
    "the remote workers did not connect in time; start them as config/deploy/README.md says, open the"
    " firewall for them, or expect fewer"
)


class Session:
    """The runs of one Locust process: one after the other in the web UI, a single one headless."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.controller: Controller | None = None
        """The present run, or the last one; its table stays readable after its end."""
        self.problem: str | None = None
        """Why the last run could not begin."""
        self._is_running = False
        runner = environment.runner
        assert runner is not None
        runner.register_message(messages.COUNTS, self._on_counts)
        environment.events.test_stop.add_listener(self._on_test_stop)

    def tick(self) -> tuple[int, float] | None:
        """Return the users due now and their spawn rate; None when there is nothing to run."""
        if not self._is_running:
            try:
                self.controller = self._controller()
                self.controller.begin()
            except CapacityError as error:
                self._not_begun(error)
                return None
            self.problem = None
            self._is_running = True
        assert self.controller is not None
        due = self.controller.users_due()
        self._is_running = due is not None
        return due

    def on_quitting(self) -> None:
        """Close the record, whatever ends the process, and settle Locust's exit code."""
        self._on_test_stop()
        if self.controller is not None and self.problem is None:
            self._environment.process_exit_code = self.controller.exit_code

    def on_exit(self) -> None:
        """Say why nothing was begun where Locust gave up waiting for workers: no event tells."""
        runner = self._environment.runner
        expected = options_of(self._environment).expect_workers
        has_begun = self.controller is not None or self.problem is not None
        if isinstance(runner, MasterRunner) and not has_begun and runner.worker_count < expected:
            self._not_begun(PreflightError(_NOT_COME))

    def _not_begun(self, error: CapacityError) -> None:
        self.problem = str(error)
        self._environment.process_exit_code = error.exit_code
        logger.error("%s", error)
        if run := options_of(self._environment).capacity_run:
            write_ending(Path(run), ending_of(error))

    def _controller(self) -> Controller:
        options = options_of(self._environment)
        target = load_target(find("targets", options.capacity_target))
        profile = load_profile(find("profiles", options.capacity_profile))
        run = options.capacity_run or new_run_path(target.name, profile.name)
        scheme = "https" if target.tls else "http"
        self._environment.host = f"{scheme}://{target.host}:{target.port}"
        workers = getattr(self._environment.runner, "worker_count", 1)
        earlier = options.capacity_resume
        return Controller(
            self._environment,
            target,
            profile,
            Path(run),
            max(1, workers),
            earlier=trials_to_resume(Path(earlier), target, profile) if earlier else (),
        )

    def _on_counts(self, msg: Any, **_kwargs: Any) -> None:
        if self.controller is not None and not self.controller.is_over:
            self.controller.on_counts(msg.node_id, msg.data)

    def _on_test_stop(self, **_kwargs: Any) -> None:
        if self.controller is not None:
            self.controller.abort(
                "the run was stopped before the end of its profile", exit_code=130
            )
        self._is_running = False
