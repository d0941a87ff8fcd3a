"""config/profiles/*.yaml: how much load, in which steps, for how long."""

from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter

from capacity.settings.yaml_files.models import RULES, Name
from capacity.settings.yaml_files.yaml_file import Finding, load
from capacity.workload.profiles.arrivals import Arrivals
from capacity.workload.reconnect import Policy

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Rate = Annotated[float, Field(gt=0, le=100_000)]
Connections = Annotated[int, Field(ge=1, le=10_000_000)]


class ProfileMix(BaseModel):
    model_config = RULES
    subscriptions_per_connection: Annotated[int, Field(ge=0, le=10_000)] = 2
    """Channels that a connection follows; never more than the target file names."""
    requests_per_s_per_connection: Annotated[float, Field(ge=0, le=1000)] = 0.01
    """REST polls per second for each connection; 0.01 is one in 100 s."""
    orders_per_s_per_connection: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Requests of traders per second for each connection (place, amend, balance, cancel, in turn), on
    connections of their own; 0.01 is one in 100 s. Needs orders in the target file. They come along in
    every step, so that they are part of what a connection costs."""
    churn_per_s_per_connection: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Connections closed and opened again per second for each connection while a step is held;
    0.001 gives a connection a life of 1,000 s."""
    slow_readers_ratio: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the connections that read more slowly than the target publishes while they follow a
    channel, so that what it keeps for them fills up. Their delays and gaps are not counted, and being
    dropped for it is counted as dropped_slow_reader, not as a lost connection."""
    slow_read_bytes_per_s: Annotated[float, Field(ge=0, le=100_000)] = 1000.0
    """What a slow reader reads, in pieces of 4,096 bytes; 0: nothing at all."""


Share = Annotated[float, Field(gt=0, le=1)]


class ProfileGuards(BaseModel):
    model_config = RULES
    used_ratio: Share = 0.9
    """Share of a limit on descriptors, threads or another counted resource, or on memory."""
    throttled_ratio: Share = 0.05
    """Share of the CPU quota periods in which the target was throttled."""
    retransmitted_ratio: Share = 0.05
    """Share of the TCP segments from the target that were retransmitted; where its own cannot be told, of
    those from its network namespace, other traffic in it included."""
    memory_pressure_ratio: Share = 0.1
    """Share of the time in which a process of the target's cgroup, or host, stalled on memory (PSI)."""
    failed_opens_ratio: Share = 0.1
    """Share of a step's connections that failed to open."""
    lost_ratio: Share = 0.05
    """Share of a step's connections that the target dropped."""


class ProfileStorm(BaseModel):
    """A share of the clients is cut at once and comes back, after the last step."""

    model_config = RULES
    share_ratio: Share = 0.5
    """Share of the connections that are cut at once. A drill has so many connections that they and
    those that are cut together are no more than a step of the run held."""
    habits: Annotated[tuple[Policy, ...], Field(min_length=1, max_length=8)] = ("full_jitter",)
    """How the clients that are cut come back; a drill for each, one after the other. immediate: at
    once, and 0.1 s after a failure; fixed: after base_s; exponential: after base_s, and factor times
    longer with each failure; full_jitter: at random before that; retry_after: at once, then when the
    target's Retry-After says."""
    base_s: Annotated[float, Field(ge=0, le=3600)] = 1.0
    """First wait in seconds."""
    factor: Annotated[float, Field(ge=1, le=100)] = 2.0
    """Growth of the wait with each failed attempt."""
    cap_s: Seconds = 60.0
    """Longest wait in seconds."""
    longest_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Time in seconds after which a drill ends, whoever is still missing."""


class ProfileFreshness(BaseModel):
    model_config = RULES
    poll_interval_s: Seconds = 1.0
    """Time in seconds between two polls of the instrument."""
    objective_s: Seconds | None = None
    """Age in seconds that data should not exceed; null: none is stated."""


class _Common(BaseModel):
    model_config = RULES
    profile: Literal[1]
    """Version of this file format."""
    name: Name
    """Name of the profile in reports and history; letters, digits, dot, dash, underscore."""
    question: Annotated[str, Field(max_length=200)] | None = None
    """The question that the profile answers, for `capacity profile list`."""
    basis: Annotated[str, Field(max_length=600)] | None = None
    """Where its numbers come from."""
    connects_per_s: Rate = 200.0
    """Rate of new connections during a ramp, all workers together."""
    arrivals: Arrivals = "even"
    """even: new connections at equal intervals; poisson: at random ones of that mean, as
    independent clients come; together: all of a second at once, as after an outage, which tells
    what an arrival costs in a reconnect storm."""
    settle_s: Annotated[float, Field(ge=0, le=86_400)] = 3.0
    """Settle time in seconds after the ramp, not measured."""
    plateau_s: Annotated[float, Field(ge=1, le=86_400)] = 10.0
    """Time in seconds that is measured, at constant load."""
    ramp_timeout_s: Seconds = 30.0
    """Time in seconds that connections may take to open after the last one was due; a step that
    takes longer counts as not reached, and ends a run that is no search."""
    connections_per_user: Annotated[int, Field(ge=1, le=100_000)] = 1
    """Connections that one Locust user holds; raise it for tens of thousands of connections. Users come
    and go whole: a level opens the next multiple, and polls, orders and churn go by that."""
    poll_interval_s: Seconds = 1.0
    """Longest time in seconds between two REST polls of one poller; sets how many there are."""
    order_interval_s: Seconds = 1.0
    """Longest time in seconds between two requests of one trader; sets how many there are."""
    worker_memory_mib: Annotated[int, Field(ge=16, le=1_048_576)] = 512
    """Mebibytes that the connections of one worker may hold together of messages that are not
    complete and of answers under way; beyond it the connection that holds most is ended, and counted
    as memory_budget."""
    mix: ProfileMix = ProfileMix()
    """The load of one connection, for which the capacity is quoted."""
    freshness: ProfileFreshness | None = None
    """Watch one instrument beside the load: one further connection to which it is pushed, one further
    poller. Needs an operation with channel and version in the dialect. null: it is not watched."""
    guards: ProfileGuards | None = None
    """Bounds at which the run removes its load before it harms the target, exit code 12; an
    accept queue that overflows and a missed slo of the target file do so as well. null: the run
    continues whatever happens."""


class SafeProfile(_Common):
    """An experiment that stays at a fraction of what the target is known to hold."""

    kind: Literal["safe"]
    """safe: an experiment that starts with a few connections, derives each next level from the
    results so far, and separates the costs of the parts of the load."""
    fraction: Annotated[float, Field(gt=0, le=0.25)] = 0.25
    """Maximum connections, as a fraction of the lowest lower bound of all known limits."""
    start: Annotated[int, Field(ge=1, le=1000)] = 20
    """Connections of the first level."""
    growth: Annotated[float, Field(gt=1, le=4)] = 3.0
    """Maximum ratio of a level to the one before."""
    levels: Annotated[int, Field(ge=2, le=50)] = 6
    """Most levels; the climb ends earlier where the fraction is reached or another level would tell
    nothing new. From 3 on one is visited on the way down again, to see what the target does not give
    back."""
    longest_s: Seconds = 3600.0
    """Time in seconds after which no further level begins; those before are kept."""
    steps_per_level: Annotated[int, Field(ge=1, le=8)] = 2
    """Steps at each of them, with subscriptions, polls and churn on in some and off in others; the
    full mix is always one of them."""
    churn_per_s_per_connection: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Churn per connection in some of the steps, to measure the cost of a handshake; counts
    where it is more than that of the mix."""
    guards: ProfileGuards | None = ProfileGuards()
    """Bounds at which the run removes its load before it harms the target, exit code 12; an
    accept queue that overflows and a missed slo of the target file do so as well. null: the run
    continues whatever happens."""
    connections: Connections | None = None
    """Limit to assume if none can be read; the fraction applies to it as well."""
    storm: ProfileStorm | None = None
    """A reconnect storm drill after the last step, guarded as the steps are, by the default bounds
    where guards is null; queues that overflow, throttling and refusals are told and do not end it.
    null: none."""


class RampProfile(_Common):
    """Given connection counts, one after the other."""

    kind: Literal["ramp"]
    """ramp: the connection counts in levels."""
    levels: Annotated[tuple[Connections, ...], Field(min_length=1, max_length=200)]
    """Connection counts, each higher than the one before."""
    storm: ProfileStorm | None = None
    """A reconnect storm drill after the last step, guarded as the steps are, by the default bounds
    where guards is null; queues that overflow, throttling and refusals are told and do not end it.
    null: none."""


class ProfileStep(BaseModel):
    """What is not given is the profile's."""

    model_config = RULES
    connections: Annotated[int, Field(ge=0, le=10_000_000)]
    """Connections of the step; fewer than before are closed."""
    connects_per_s: Rate | None = None
    """Rate at which those that are new open."""
    settle_s: Annotated[float, Field(ge=0, le=86_400)] | None = None
    """Settle time in seconds."""
    plateau_s: Annotated[float, Field(ge=1, le=86_400)] | None = None
    """Time in seconds that is measured."""
    subscriptions_per_connection: Annotated[int, Field(ge=0, le=10_000)] | None = None
    """Channels that a connection follows in this step."""
    requests_per_s_per_connection: Annotated[float, Field(ge=0, le=1000)] | None = None
    """REST polls per second for each connection in this step."""
    churn_per_s_per_connection: Annotated[float, Field(ge=0, le=1)] | None = None
    """Connections closed and opened again per second for each connection in this step."""


class SequenceProfile(_Common):
    """Given steps, one after the other, each with a load of its own: a scenario."""

    kind: Literal["sequence"]
    """sequence: the steps, up and down; those with the profile's mix are what a capacity is quoted for."""
    steps: Annotated[tuple[ProfileStep, ...], Field(min_length=1, max_length=200)]
    """Steps in their order."""
    guards: ProfileGuards | None = ProfileGuards()
    """Bounds at which the run removes its load before it harms the target, exit code 12; an
    accept queue that overflows and a missed slo of the target file do so as well. null: the run
    continues whatever happens."""


class BreakProfile(_Common):
    """A search for the target's true limit, by breaking it: grow until a step fails, then bisect."""

    kind: Literal["break"]
    """break: searches for the most connections that the target holds, all of them open, receiving
    and within the target file's slo. After a step that fails it must recover before the next one."""
    start: Connections
    """Connections of the first step."""
    limit: Connections
    """Connections at which to stop even if nothing has failed."""
    growth: Annotated[float, Field(gt=1, le=10)] = 1.5
    """Factor from step to step until the first one fails."""
    precision_ratio: Annotated[float, Field(gt=0, le=0.5)] = 0.005
    """The search ends when passing and failing counts are that near, or one connection apart."""
    longest_plateau_s: Annotated[float, Field(ge=1, le=86_400)] | None = None
    """Time in seconds that a step is held near the limit, and that the result must have been held;
    far from it plateau_s will do. null: plateau_s everywhere."""


Profile = SafeProfile | RampProfile | SequenceProfile | BreakProfile
ADAPTER: TypeAdapter[Profile] = TypeAdapter(Annotated[Profile, Field(discriminator="kind")])


def load_profile(path: Path) -> Profile:
    """Return the profile in *path*. Raises ConfigError."""
    return load(path, ADAPTER, _findings)


def _findings(profile: Profile) -> Iterator[Finding]:
    if isinstance(profile, RampProfile):
        for n in range(1, len(profile.levels)):
            if profile.levels[n] <= profile.levels[n - 1]:
                before, level = profile.levels[n - 1], profile.levels[n]
                yield ("levels", n), f"must be higher than the level before, {before} (got {level})"
    if isinstance(profile, BreakProfile) and profile.limit <= profile.start:
        yield ("limit",), f"must be higher than start, {profile.start} (got {profile.limit})"
    if isinstance(profile, BreakProfile) and (profile.longest_plateau_s or inf) < profile.plateau_s:
        least, most = profile.plateau_s, profile.longest_plateau_s
        yield ("longest_plateau_s",), f"must not be below plateau_s, {least:g} (got {most:g})"
