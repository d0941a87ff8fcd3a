"""The product's modules, given to a simulated world in place of time, files and sockets."""

import locust  # noqa: F401 - must patch before anything else is imported

from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

from clients import Clients
from simulated_settings import dialect_here, profile_here, target_settings
from world import MASTER_PID, World

from capacity.loadgen.client import self_monitor
from capacity.loadgen.client import worker as worker_module
from capacity.loadgen.master import (
    closing,
    control_interval,
    controller,
    open_run,
    recorder,
    session,
)
from capacity.loadgen.master.steps import step_results
from capacity.loadgen.master.workers import check_in, liveness, worker_pool

TIMED = (
    control_interval,
    check_in,
    closing,
    controller,
    open_run,
    recorder,
    self_monitor,
    step_results,
    worker_pool,
    worker_module,
)


def parts_of(world):
    """Return (owner, name, value) of all that the product has from this world."""
    clock = world.clock
    return [
        *((module, "time", clock.time_module()) for module in TIMED if hasattr(module, "time")),
        *(
            (module, "gevent", clock.gevent_module())
            for module in TIMED
            if hasattr(module, "gevent")
        ),
        (check_in, "boot_id", lambda: "generator"),
        (check_in, "load_dialect", dialect_here),
        (check_in, "dialect_settings", SimpleNamespace(dump=lambda _dialect: {})),
        (check_in, "find", lambda *_: "here"),
        (open_run, "check", world.preflight),
        (open_run, "Forecasts", lambda *_, **__: SimpleNamespace(make=lambda *_: None)),
        (liveness, "_parent_of", world.parent_of),
        (liveness, "_out_of_memory_kills", lambda: None),
        (
            liveness,
            "os",
            SimpleNamespace(
                getpid=lambda: MASTER_PID, getloadavg=lambda: (1.0, 1.0, 1.0), cpu_count=lambda: 2
            ),
        ),
        (recorder, "RunWriter", world.writer),
        (recorder, "generator_facts", lambda _workers: {}),
        (session, "load_target", target_settings),
        (session, "load_profile", profile_here),
        (session, "write_ending", lambda *_: None),
        (session, "find", lambda *_: "here"),
        (worker_module, "Clients", partial(Clients, world=world)),
        (worker_module, "Target", SimpleNamespace(model_validate=lambda _: None)),
        (worker_module, "dialect_settings", SimpleNamespace(parse=lambda _: None)),
        (worker_module, "identity_here", world.identity),
        (worker_module, "addresses_here", lambda _addresses: ()),
        (worker_module, "addresses_in", lambda _addresses: ()),
        (worker_module, "add_deliveries", lambda *_: None),
        (worker_module, "descriptors_ratio", lambda: 0.01),
        (worker_module, "set_garbage_aside", lambda: None),
        (worker_module, "gc", SimpleNamespace(unfreeze=lambda: None)),
        (worker_module, "raise_descriptor_limit", lambda: None),
        (worker_module, "os", SimpleNamespace(getpid=world.own_pid)),
    ]


@contextmanager
def staged(seed, **circumstances):
    """Give the product to a world of its own; everything is as before afterwards."""
    world = World(seed, **circumstances)
    parts = [(owner, name, getattr(owner, name), value) for owner, name, value in parts_of(world)]
    try:
        for owner, name, _before, value in parts:
            setattr(owner, name, value)
        world.populate()
        yield world
    finally:
        for owner, name, before, _value in reversed(parts):
            setattr(owner, name, before)
