"""A real master asks workers who they are: real ones, mute ones, of another program, of another time."""

from locust.env import Environment
from locust.event import Events

import time
from contextlib import ExitStack, nullcontext
from itertools import chain, repeat
from types import SimpleNamespace

import gevent
import pytest

from capacity.domain.errors import PreflightError
from capacity.loadgen.checks.worker_identity import PROGRAM, boot_id, identity_here
from capacity.loadgen.client.worker import Worker
from capacity.loadgen.master.workers import check_in as check_in_module
from capacity.loadgen.master.workers.check_in import (
    EXCHANGES,
    LOCAL,
    await_workers,
    check_in,
    present_workers,
    roll_of,
)
from capacity.loadgen.protocol import messages
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find

PATIENCE_S = 60


@pytest.fixture(name="target")
def fixture_target(exchange, target_file):
    return target_file(exchange)


@pytest.fixture(name="master")
def fixture_master():
    environment = Environment(events=Events())
    environment.create_master_runner("127.0.0.1", 0)
    yield environment
    environment.runner.quit()


@pytest.fixture(name="join")
def fixture_join(master):
    """Let a worker join that answers as *answer* says; without, a real one."""
    with ExitStack() as stack:

        def start(answer=None):
            environment = Environment(events=Events())
            runner = environment.create_worker_runner("127.0.0.1", master.runner.server.port)
            stack.callback(runner.quit)
            if answer is None:
                Worker(environment)
            else:

                def on_muster(msg, **_):
                    if (said := answer(msg.data)) is not None:
                        runner.send_message(messages.PRESENT, said)

                runner.register_message(messages.CHECK_IN, on_muster)
            with gevent.Timeout(PATIENCE_S):
                while runner.client_id not in present_workers(master):
                    gevent.sleep(0.01)
            return runner.client_id

        yield start


def answering(target, *, ahead_s=0.0, boot=None, late_s=0.0, program=PROGRAM):
    """Return the answers of a worker with another clock, kernel, road or program."""
    dialect = load_dialect(find("dialects", target.dialect))
    exchanges = []

    def answer(asked):
        identity = identity_here(target, dialect).as_message() if asked["question"] else None
        if identity is not None:
            identity["boot_id"] = boot or identity["boot_id"]
        else:
            exchanges.append(asked)
        gevent.sleep(late_s if len(exchanges) % 2 else 0.0)
        now = time.time() + ahead_s
        return {
            "program": program,
            "identity": identity,
            "asked_at": asked["asked_at"],
            "now": now,
        }

    return answer


def test_every_worker_says_who_it_is_and_has_been_to_the_target(master, join, target):
    names = [join(), join()]
    identities = check_in(master, target)

    assert set(names) == present_workers(master)
    assert [None, None] == [identity.trouble for identity in identities]
    assert {boot_id()} == {identity.boot_id for identity in identities}
    assert all(name in roll_of(master) for name in names)


def test_locust_without_workers_answers_for_itself(target):
    environment = Environment(events=Events())
    runner = environment.create_local_runner()
    Worker(environment)
    [identity] = check_in(environment, target)
    runner.quit()

    assert ({LOCAL}, 0.0) == (present_workers(environment), identity.clock.offset_s)


def test_who_shares_the_kernel_shares_the_clock_whatever_it_says(master, join, target):
    join(answering(target, ahead_s=5.0))
    [identity] = check_in(master, target)

    assert (0.0, 0.0) == (identity.clock.offset_s, identity.clock.error_s)


@pytest.mark.parametrize("ahead_s", [-3.0, 0.25, 7200.0])
def test_the_clock_of_another_host_is_found_within_its_error(master, join, target, ahead_s):
    join(answering(target, ahead_s=ahead_s, boot="another"))
    [identity] = check_in(master, target)

    assert abs(identity.clock.offset_s - ahead_s) <= identity.clock.error_s < 0.1


def test_of_several_exchanges_the_quickest_counts(master, join, target):
    join(answering(target, boot="another", late_s=0.3))
    [identity] = check_in(master, target)

    assert EXCHANGES > 1
    assert identity.clock.error_s < 0.3 / 2  # The late one would leave at least that much open.


def test_a_worker_of_another_program_is_refused_by_name(master, join, target):
    stranger = join(lambda asked: {"program": "0.0.9 (cafe)", "form": "unknown"})
    with pytest.raises(PreflightError, match=rf"worker {stranger} runs 0\.0\.9 \(cafe\), this is"):
        check_in(master, target)


def test_a_real_worker_that_another_program_asks_only_says_which_it_is(master, join, monkeypatch):
    worker = join()
    heard = []
    master.runner.register_message(messages.PRESENT, lambda msg, **_: heard.append(msg.data))
    asked = {"program": "9.9.9", "asked_at": 1.0, "question": "in a form unknown here"}
    master.runner.send_message(messages.CHECK_IN, asked, client_id=worker)
    with gevent.Timeout(PATIENCE_S):
        while not heard:
            gevent.sleep(0.01)

    assert (PROGRAM, None) == (heard[0]["program"], heard[0]["identity"])


def test_a_worker_that_says_nothing_is_refused_by_name(master, join, target, monkeypatch):
    monkeypatch.setattr(check_in_module, "TIMEOUT_S", 0.3)
    mute = join(lambda asked: None)
    with pytest.raises(PreflightError, match=f"worker {mute} did not identify itself within 0 s"):
        check_in(master, target)


@pytest.mark.parametrize(("silent_s", "is_refused"), [(14.9, False), (15.1, True)])
def test_a_worker_has_fifteen_seconds_for_its_answer(
    master, join, target, monkeypatch, silent_s, is_refused
):
    """The clock stands until the roll was called, and then that much has passed."""
    clock = chain([0.0], repeat(silent_s))
    clocks = SimpleNamespace(monotonic=lambda: next(clock), time=time.time)
    monkeypatch.setattr(check_in_module, "time", clocks)
    join(answering(target, late_s=0.05))
    refusal = pytest.raises(PreflightError, match="within 15 s") if is_refused else nullcontext()
    with refusal:
        check_in(master, target)


def test_the_next_run_asks_anew(master, join, target):
    join()
    [before] = check_in(master, target)
    [after] = check_in(master, target.model_copy(update={"source_addresses": ("127.0.0.9",)}))

    assert [(), ("127.0.0.9",)] == [before.addresses, after.addresses]


def test_a_worker_that_comes_back_in_time_is_waited_for(master, join):
    waiting = gevent.spawn(await_workers, master, 1)
    gevent.sleep(0.1)
    was_waiting = not waiting.dead
    join()
    waiting.get(timeout=PATIENCE_S)

    assert was_waiting


def test_without_any_worker_there_is_no_run(master, monkeypatch):
    monkeypatch.setattr(check_in_module, "RETURN_S", 0.1)
    with pytest.raises(PreflightError, match=r"no worker is connected.* --processes 1"):
        await_workers(master, 1)


def test_a_run_begins_with_the_workers_that_are_there_when_others_stay_away(
    master, join, monkeypatch
):
    monkeypatch.setattr(check_in_module, "RETURN_S", 0.1)
    join()
    await_workers(master, 2)

    assert 1 == len(present_workers(master))
