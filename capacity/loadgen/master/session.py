"""Begins a run when Locust's load shape first asks, and ends it when Locust stops."""

from locust.env import Environment
from locust.runners import STATE_STOPPING, MasterRunner

import logging
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from capacity.domain.errors import CapacityError, PreflightError, without_content
from capacity.loadgen.arguments import options_of, users_picked
from capacity.loadgen.master import run_endings
from capacity.loadgen.master.controller import Controller
from capacity.loadgen.master.locust_seconds import forget_old_seconds
from capacity.loadgen.master.open_run import AskedRun
from capacity.loadgen.master.steps.limit_search import trials_to_resume
from capacity.loadgen.master.workers.check_in import await_workers, present_workers
from capacity.loadgen.master.workers.user_classes import picked_classes
from capacity.loadgen.protocol import messages
from capacity.loadgen.run_path import new_run_path
from capacity.recording.ending import ending_of, write_ending
from capacity.recording.lock import locked
from capacity.recording.lock_place import place_of_locks
from capacity.settings.locate import find
from capacity.settings.profile import load_profile
from capacity.settings.target import Target, load_target

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
        """The present run, or the last one."""
        self.problem: str | None = None
        """Why the last run could not begin, in words without the content of files."""
        self.problem_exit_code: int | None = None
        self.is_beginning = False
        """Target and generator are being looked at; nothing is open yet."""
        self._is_unwanted = False
        self._lock = ExitStack()
        """Of the target, while its run is under way."""
        self._classes = list(environment.user_classes)
        self._is_running = False
        self._workers = 1
        """That took part in the run before."""
        runner = environment.runner
        assert runner is not None
        runner.register_message(messages.COUNTS, self._on_counts)
        # Before Locust stops its workers: who stops because it was told to is not lost.
        environment.events.test_stopping.add_listener(self._on_stopping)
        environment.events.test_stop.add_listener(self._on_stopped)

    def tick(self) -> tuple[int, float] | None:
        """Return the users due now and their spawn rate; None when there is nothing to run."""
        if not self._is_running and not self._begin():
            return None
        assert self.controller is not None
        forget_old_seconds(self._environment.stats)
        due = self.controller.users_due()
        self._is_running = due is not None
        return due

    @property
    def is_busy(self) -> bool:
        """Tell whether a run is under way, from its checks until Locust has stopped its workers."""
        controller, runner = self.controller, self._environment.runner
        assert runner is not None
        return (
            self.is_beginning
            or runner.shape_greenlet is not None
            or runner.state == STATE_STOPPING
            or (controller is not None and not controller.is_over)
        )

    @property
    def shown(self) -> Controller | None:
        """Return the run that pages are about: no longer the last one once another was asked for."""
        return None if self.is_beginning or self.problem is not None else self.controller

    @property
    def chosen(self) -> str:
        """Return which target the next run loads, and with which profile."""
        options = options_of(self._environment)
        return f"{options.capacity_target}, profile {options.capacity_profile}"

    @property
    def host(self) -> str:
        """Return the address of the target that the next run loads; nothing where its file is wrong."""
        try:
            return _host_of(
                load_target(find("targets", options_of(self._environment).capacity_target))
            )
        except CapacityError:
            return ""

    def start(self, **options: str) -> None:
        """Begin a run with these of our options, as Locust's form does."""
        vars(options_of(self._environment)).update(options)
        self.problem = None
        self.is_beginning = True
        runner = self._environment.runner
        assert runner is not None
        runner.start_shape()

    def note_stop(self) -> None:
        """Take it that the run which is about to begin is not wanted: Locust has nothing to stop yet."""
        self._is_unwanted = self.is_beginning

    def stop(self) -> None:
        """End the run that is under way, or about to begin, as Locust's STOP does."""
        self.note_stop()
        runner = self._environment.runner
        assert runner is not None
        runner.stop()

    def stop_after_step(self) -> None:
        """Let the step that is under way be measured to its end, then end the run."""
        self.note_stop()
        if self.controller is not None:
            self.controller.stops_after_step = True

    def on_quitting(self) -> None:
        """Close the record, whatever ends the process, and settle Locust's exit code."""
        self._on_stopped()
        if self.controller is not None and self.problem is None:
            self._environment.process_exit_code = self.controller.exit_code

    def _begin(self) -> bool:
        self.is_beginning, self.problem = True, None
        self._lock.close()
        self._clear_statistics()
        try:
            self.controller = self._controller()
            if self._is_unwanted:
                self.controller.finish(run_endings.stopped())
            else:
                self._begin_recorded(self.controller)
        except CapacityError as error:
            self._not_begun(error)
            return False
        finally:
            self.is_beginning = self._is_unwanted = False
        self._is_running = True
        return True

    def _clear_statistics(self) -> None:
        """Take the last run out of Locust's tables: Locust itself does so when our checks are through."""
        runner = self._environment.runner
        assert runner is not None
        runner.stats.clear_all()
        runner.exceptions = {}

    def _begin_recorded(self, controller: Controller) -> None:
        """Begin the first step; a record that takes nothing from its first event on ends the run."""
        try:
            controller.begin()
        except OSError as error:  # Locust would go on waiting for a load shape that is gone.
            controller.abort(run_endings.crashed(error))

    def on_exit(self) -> None:
        """Say why nothing was begun where Locust gave up waiting for workers: no event tells."""
        runner = self._environment.runner
        expected = options_of(self._environment).expect_workers
        has_begun = self.controller is not None or self.problem is not None
        if isinstance(runner, MasterRunner) and not has_begun and runner.worker_count < expected:
            self._not_begun(PreflightError(_NOT_COME))

    def _not_begun(self, error: CapacityError) -> None:
        self._lock.close()
        self.problem, self.problem_exit_code = str(error), error.exit_code
        self._environment.process_exit_code = error.exit_code
        if self._environment.web_ui is not None:
            # Locust shows its log to whoever sees the page, who need not be one to read the files.
            self.problem = without_content(error)
            print(error, file=sys.stderr)  # noqa: T201 - the terminal is the operator's
        logger.error("%s", self.problem)
        if run := options_of(self._environment).capacity_run:
            write_ending(Path(run), ending_of(error))

    def _controller(self) -> Controller:
        options = options_of(self._environment)
        target = load_target(find("targets", options.capacity_target))
        user_classes = picked_classes(
            self._classes,
            users_picked(options),
            load_profile(find("profiles", options.capacity_profile)),
        )
        profile = user_classes.profile
        self._environment.user_classes = list(user_classes.classes)
        run = options.capacity_run or new_run_path(target.name, profile.name)
        self._environment.host = _host_of(target)
        address = f"{target.host}:{target.port}"
        self._lock.enter_context(locked(place_of_locks(), address, run=Path(run).name))
        await_workers(self._environment, self._workers)
        self._workers = workers = len(present_workers(self._environment))
        earlier = options.capacity_resume
        return Controller(
            self._environment,
            AskedRun(
                target=target,
                profile=profile,
                path=Path(run),
                workers=workers,
                user_classes=user_classes,
                earlier=trials_to_resume(Path(earlier), target, profile) if earlier else (),
            ),
        )

    def _on_counts(self, msg: Any, **_kwargs: Any) -> None:
        if self.controller is not None and not self.controller.is_over:
            self.controller.on_counts(msg.node_id, msg.data)

    def _on_stopping(self, **_kwargs: Any) -> None:
        if self.controller is not None:
            self.controller.abort(run_endings.stopped())
        self._is_running = False

    def _on_stopped(self, **_kwargs: Any) -> None:
        """The workers have closed their connections."""
        self._on_stopping()
        self._lock.close()


def _host_of(target: Target) -> str:
    """Return a target's address as Locust shows it."""
    return f"{'https' if target.tls else 'http'}://{target.host}:{target.port}"
