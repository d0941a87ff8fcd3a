"""Ordering faults that are planted into the product, one at a time, for the simulation to find."""

from contextlib import contextmanager

from clients import Clients

from capacity.loadgen.client.worker import Worker
from capacity.loadgen.master import controller, recorder
from capacity.loadgen.master.closing import Closing
from capacity.loadgen.master.controller import Controller
from capacity.loadgen.master.recorder import Recorder
from capacity.loadgen.master.session import Session
from capacity.loadgen.master.steps.step_results import StepResults
from capacity.loadgen.master.workers.heard_reports import HeardReports
from capacity.loadgen.master.workers.worker_pool import WorkerPool


def _takes_every_report(_self, _worker, _report):
    return True


def _takes_doubled_reports(self, worker, report):
    self.is_new_once(worker, report)
    return report["run"] == self._run


def _does_nothing(_self, *_arguments, **_named):
    pass


def _ends_nobody(self):
    self._is_over = True


def _closes_each_time(self, ending):
    self.ending = ending
    self._run()


def _is_over_before_it_is(self):
    self.is_over = True
    self._close(*self.ending)


def _turns_before_it_reports(self, msg, **_kwargs):
    counters = self.clients.counters if self.clients is not None else None
    if counters is not None:
        counters.turn_to(msg.data["index"], msg.data["phase"])
    self.on_stage_in_order(msg)


def _says_its_last_word_always(self, *, is_final):
    self.report_as_due(is_final=True)


def _stays_when_users_stop(self, msg=None, **_kwargs):
    if msg is not None:
        self.on_end_always(msg)


def _fetches_all_again(self):
    self._last_seq = 0
    self.fetch_what_is_new()


def _goes_by_the_wall(self):
    return recorder.time.time()


def _keeps_what_the_lost_held(self):
    before = dict(self.gauges)
    lost, joined = self.changes_with_care()
    self.gauges |= {worker: before[worker] for worker in lost & before.keys()}
    return lost, joined


def _begins_anew(self, msg, **_kwargs):
    self._run = ""
    self.on_begin_once(msg)


def _records_after_the_end(self):
    while True:
        controller.gevent.sleep(1.0)
        self.recorder.point(self.drills.point(self.position, self._failures))


def _orders_once(self):
    if self._called_s or self._ordered_s:
        return False
    return self.order_whoever_is_silent()


def _waits_by_its_clock():
    controller.gevent.sleep(0.1)
    return 0.0


PLANTED = {
    "reports of another run, and doubled ones, are counted": (
        (HeardReports, "is_new", _takes_every_report, None),
    ),
    "a report that comes twice is counted twice": (
        (HeardReports, "is_new", _takes_doubled_reports, "is_new_once"),
    ),
    "a report that is lost is not missed": ((HeardReports, "missing", lambda *_: 0, None),),
    "a step is closed before its last words": (
        (StepResults, "_await_last_words", _does_nothing, None),
        (StepResults, "_note_unheard", _does_nothing, None),
    ),
    "workers are not told the end": (
        (WorkerPool, "end", _ends_nobody, None),
        (Worker, "_on_end", _does_nothing, None),
    ),
    "the record is closed by everybody who asks": ((Closing, "begin", _closes_each_time, None),),
    "a run is over before its record is closed": ((Closing, "_run", _is_over_before_it_is, None),),
    "a step is left open that ends while another is closed": (
        (StepResults, "await_close", lambda _self: None, None),
    ),
    "a worker counts under the next phase before it reports": (
        (Worker, "_on_stage", _turns_before_it_reports, "on_stage_in_order"),
    ),
    "every report is a last word": (
        (Worker, "_report", _says_its_last_word_always, "report_as_due"),
    ),
    "a worker that is missed at the end goes on": (
        (Worker, "_on_end", _stays_when_users_stop, "on_end_always"),
    ),
    "samples are fetched again": ((Recorder, "_fetch", _fetches_all_again, "fetch_what_is_new"),),
    "what disturbs a step is forgotten": (
        (StepResults, "_note_unheard", _does_nothing, None),
        (Controller, "_watch_workers", lambda self: self.pool.changes(), None),
    ),
    "steps go by a clock that is set": ((Recorder, "now", _goes_by_the_wall, None),),
    "what a lost worker held is still counted": (
        (WorkerPool, "changes", _keeps_what_the_lost_held, "changes_with_care"),
    ),
    "a worker that is told its orders again begins anew": (
        (Worker, "_on_begin", _begins_anew, "on_begin_once"),
    ),
    "points are recorded behind the end": (
        (Controller, "_note_forever", _records_after_the_end, None),
    ),
    "a worker that has joined late is given no orders": (
        (WorkerPool, "order_silent", _orders_once, "order_whoever_is_silent"),
    ),
    "a master that stood still goes by its clock": (
        (controller, "await_interval", _waits_by_its_clock, None),
    ),
    "users are given to a worker that has ended": (
        (WorkerPool, "has_dead", lambda _self: False, None),
    ),
    "what waited in sockets is counted in the next phase": (
        (Clients, "catch_up", _does_nothing, None),
    ),
    "a worker that counted beside its plateau is believed": (
        (StepResults, "_note_shifted", _does_nothing, None),
        (StepResults, "_note_crowd", _does_nothing, None),
    ),
    "a run that is stopped before it has begun is begun": (
        (Session, "note_stop", _does_nothing, None),
    ),
}


FOUND_BY = {
    "reports of another run, and doubled ones, are counted": 0,
    "a report that comes twice is counted twice": 48,
    "a report that is lost is not missed": 48,
    "a step is closed before its last words": 0,
    "workers are not told the end": 0,
    "the record is closed by everybody who asks": 0,
    "a run is over before its record is closed": 1,
    "a step is left open that ends while another is closed": 72,
    "a worker counts under the next phase before it reports": 0,
    "every report is a last word": 0,
    "a worker that is missed at the end goes on": 222,
    "samples are fetched again": 1,
    "what disturbs a step is forgotten": 18,
    "steps go by a clock that is set": 61,
    "what a lost worker held is still counted": 309,
    "a worker that is told its orders again begins anew": 10_018,
    "points are recorded behind the end": 0,
    "a worker that has joined late is given no orders": 46,
    "a master that stood still goes by its clock": 2079,
    "users are given to a worker that has ended": 1091,
    "what waited in sockets is counted in the next phase": 1557,
    "a worker that counted beside its plateau is believed": 8302,
    "a run that is stopped before it has begun is begun": 1657,
}
"""The first seed that finds each; after a change of the simulation `--planted` looks for them anew."""


@contextmanager
def planted(name):
    """Have the product do it wrong; right again afterwards."""
    parts = [
        (owner, attribute, owner.__dict__[attribute], kept)
        for owner, attribute, _wrong, kept in PLANTED[name]
    ]
    try:
        for owner, attribute, wrong, kept in PLANTED[name]:
            if kept is not None:
                setattr(owner, kept, owner.__dict__[attribute])
            setattr(owner, attribute, wrong)
        yield
    finally:
        for owner, attribute, right, kept in parts:
            setattr(owner, attribute, right)
            if kept is not None:
                delattr(owner, kept)
