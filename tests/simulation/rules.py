"""What must hold whatever happens to a run: the invariants of the architecture page, and more."""

from capacity.domain.observation import CutOffKind
from capacity.loadgen.protocol import messages
from capacity.workload.profiles.profile import Phase

ENDS = {"finished", "aborted"}
TARGETS_FAULT = {
    CutOffKind.NOT_REACHED,
    CutOffKind.REFUSED,
    CutOffKind.SILENT,
    CutOffKind.LOST,
    CutOffKind.DIED,
}
UNREACHABLE = 4
STANDSTILLS = {"a worker stands still", "the master stands still"}


def broken_by(story, world):
    """Yield what broke a rule, as a sentence each."""
    yield from _crashes(world)
    for number, record in enumerate(world.records):
        for broken in _of_record(story, world, number, record):
            yield f"run {number}: {broken}"
    yield from _load_left(story, world)
    if not story.weather.overtaken_ratio and len(set(world.begun)) < len(world.begun):
        yield "a worker has begun a run twice, and lost its connections by that"
    if story.is_begun_unwanted:
        yield "a run was begun although stop had been pressed"


def _crashes(world):
    is_disk_full = any(record.fails_from is not None for record in world.records)
    for problem in (*world.clock.crashes, *world.handler_problems):
        if not (is_disk_full and isinstance(problem, OSError)):
            yield f"an error in a greenlet or handler: {problem!r}"


def _of_record(story, world, number, record):
    events = record.of("event")
    yield from _ending(story, world, number, record, events)
    yield from _sequence(record, events)
    yield from _samples(record, events)
    yield from _orders(world, number)
    before = None
    for observation in record.of("step"):
        yield from _step(story, world, number, observation, before)
        before = observation


def _ending(story, world, number, record, events):
    """One end, nothing behind it, and an owner."""
    ends = [event for event in events if event.kind in ENDS]
    if record.fails_from is not None and record.fails_from <= len(record.lines):
        return  # It could not be written.
    if len(ends) != 1:
        yield f"{len(ends)} ends"
        return
    if record.lines[-1] != ("event", ends[0]):
        behind = record.lines[record.lines.index(("event", ends[0])) + 1 :]
        yield f"behind the end comes {[kind for kind, _ in behind]}"
    if record.lines_at_exit is not None and record.lines_at_exit < len(record.lines):
        yield "the process could end before its record was closed"
    detail = ends[0].detail
    if detail.get("exit_code") == UNREACHABLE and not world.target.has_done_harm:
        yield f"a healthy target is blamed: {detail['reason']}"
    if ends[0].kind == "finished" and "not_reached" in detail and not world.target.has_done_harm:
        yield f"a healthy target is said to be full: {detail['reason']}"
    yield from _undisturbed(story, world, number, record, ends[0])
    if _must_go_on(story, world) and ends[0].kind != "finished":
        yield f"there were workers enough, and it ended by {detail.get('reason')}"


def _undisturbed(story, world, number, record, end):
    """Where nothing was wrong, a run is through, and no step void."""
    is_undisturbed = number == 1 or not (story.is_generator_hurt or story.is_stopped)
    if is_undisturbed and not world.target.has_done_harm:
        if end.kind != "finished":
            yield f"nothing was wrong, and it ended by {end.detail.get('reason')}"
        for observation in record.of("step"):
            if observation.void is not None and not _is_clock_set(story, observation.void):
                yield f"nothing was wrong, and step {observation.index} is void: {observation.void}"


def _is_clock_set(story, void):
    """Tell whether it is void because the clock of the workers' host was set, and that alone."""
    was_set = any(name == "the clock is set" for _at_s, name in story.faults)
    return was_set and all(
        said.startswith("the clock of a generator's host was set") for said in void.split("; ")
    )


def _must_go_on(story, world):
    """Tell whether workers only came and went at once, and one was there all the time."""
    return (
        story.is_calm
        and not story.is_stopped
        and not world.target.has_done_harm
        and {name for _at_s, name in story.faults}.isdisjoint(STANDSTILLS)
        and any(not world.stations[name].process.is_dead for name in world.first)
    )


def _sequence(record, events):
    """Steps are begun one after the other, and each that was begun is recorded, once."""
    phases = [
        (event.detail["index"], event.detail["phase"]) for event in events if event.kind == "phase"
    ]
    order = [phase.value for phase in Phase]
    ranks = [(index, order.index(phase)) for index, phase in phases]
    if ranks != sorted(set(ranks)):
        yield f"phases out of order: {phases}"
    indexes = [observation.index for observation in record.of("step")]
    if indexes != list(range(len(indexes))):
        yield f"steps recorded as {indexes}"
    is_whole = record.fails_from is None
    begun = {index for index, _phase in phases}
    if is_whole and begun != set(indexes):
        yield f"steps {sorted(begun)} were begun, {indexes} are recorded"


def _samples(record, events):
    moments = [sample.at for samples in record.of("samples") for sample in samples]
    numbers = [sample.seq for samples in record.of("samples") for sample in samples]
    if len(set(zip(moments, numbers, strict=True))) != len(moments):
        yield "a sample is recorded twice"


def _orders(world, number):
    """Who was told that the run is over is told nothing else of it."""
    ended = set()
    for run, kind, worker, at_s in world.told:
        if run != number:
            continue
        if kind == messages.END:
            ended.add(worker)
        elif ended:
            yield f"{kind} was sent to {worker} at {at_s:.1f} s, after the end"
            return


def _step(story, world, number, observation, previous):
    step, index = observation.step, observation.index
    is_healthy = not world.target.has_done_harm
    cut_off = observation.cut_off
    if (
        is_healthy
        and cut_off is not None
        and cut_off.kind in TARGETS_FAULT
        and observation.void is None
    ):
        yield f"step {index} blames a healthy target: {cut_off.statement}"
    if is_healthy and observation.failures:
        yield f"step {index} has failures: {observation.failures}"
    if observation.void is not None or cut_off is not None or observation.plateau_ended_at is None:
        return
    most = max(step.connections, _most_before(world, previous))
    yield from _counts(world, number, observation)
    lasted_s = observation.plateau_ended_at - observation.plateau_started_at
    if not -0.01 <= lasted_s - step.plateau_s < 8.0:
        yield f"the plateau of step {index} lasted {lasted_s:.1f} s"
    if is_healthy and observation.load is not None:
        if observation.load.connections != step.connections:
            yield f"step {index} held {step.connections}, not {observation.load.connections}"
        if not step.connections <= observation.connections_peak <= most:
            yield f"step {index} had {most} at most, not {observation.connections_peak}"
        due_per_s = 10.0 * step.connections
        if abs(observation.load.deliveries_per_s - due_per_s) > 0.35 * due_per_s:
            yield f"step {index}: {due_per_s} a second came, not {observation.load.deliveries_per_s:.1f}"


def _most_before(world, previous):
    """Return the most connections that a step may find: more than asked where users were dealt anew."""
    if previous is None:
        return 0
    if previous.void is not None:
        return world.target.most_open
    return previous.step.connections


def _counts(world, number, observation):
    """What a step has is what its workers counted under its tag, neither more nor less."""
    index = observation.index

    def counted(name, *phases):
        return sum(
            world.counted.get((number, index, phase.value), {}).get(name, 0) for phase in phases
        )

    pairs = {
        "deliveries": (counted("deliveries", Phase.PLATEAU), observation.updates),
        "connects": (counted("connects", *Phase), observation.connects),
        "lost": (counted("lost", *Phase), observation.lost),
    }
    for name, (true, recorded) in pairs.items():
        if true != recorded:
            yield f"step {index}: {true} {name} were counted, {recorded} are recorded"


def _load_left(story, world):
    if not world.records:
        return
    for station in world.alive:
        if station.worker.clients is not None:
            yield f"{station.name} still has its clients after the end"
    if world.target.open and not world.target.is_dead:
        yield f"{world.target.open} connections are left open"
