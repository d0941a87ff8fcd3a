"""
What still rises while connections stay: memory by buffers that fill, compressors or a leak, ports and
tracked connections by what closed requests leave behind for a minute or two.

A cost per connection read on the way up to there is too low, and no line through more levels shows
it. Told by the slope over the samples of one plateau (Theil–Sen) and how many of their pairs rise
(Kendall's τ, as in the Mann–Kendall test: Econometrica 13, 1945).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from capacity.domain import units
from capacity.domain.caveats import RISING_PAIRS, RISING_RATIO, Doubt, DoubtKind
from capacity.domain.observation import StepObservation
from capacity.domain.plan import Wall
from capacity.domain.resources import Resource
from capacity.domain.run import RunRecord
from capacity.domain.words import RESOURCES
from capacity.models.lines import theil_sen_line
from capacity.planning.evidence.plausible import is_plausible
from capacity.planning.evidence.windows import Window, samples_on_plateaus

FEWEST_SAMPLES = 5
FEWEST_COUNTS = 3
"""Of what is counted, which scatters less and is read less often."""
LINGERING = frozenset({Resource.OUTGOING_PORTS, Resource.CONNTRACK})
"""Taken for a while after a connection was closed."""
_FILLS = (
    "Raise settle_s and plateau_s in the profile until memory levels off, as it does once"
    " buffers are full. If it never does, the target leaks."
)
_LINGERS = (
    "Raise plateau_s in the profile beyond the time that a closed connection keeps it (60 s of a port,"
    " nf_conntrack_tcp_timeout_time_wait of a tracked one), or have the proxy keep its upstream"
    " connections open."
)


def rising_doubts(record: RunRecord, windows: Sequence[Window], wall: Wall) -> Iterator[Doubt]:
    """Doubt *wall* if its use rose on the plateau with most connections and deliveries."""
    if wall.limit.value is None:
        return
    top, samples = max(samples_on_plateaus(record, windows), key=lambda read: _carried(read[0]))
    read = [
        (sample.at, sample.used[wall.resource])
        for sample in samples
        if is_plausible(sample.used.get(wall.resource, -1.0))
    ]
    lingers = wall.resource in LINGERING
    if len(read) < (FEWEST_COUNTS if lingers else FEWEST_SAMPLES):
        return
    times_s, uses = np.array(read).T
    per_s = theil_sen_line(times_s, uses)[1]
    first, second = np.triu_indices(len(uses), k=1)
    pairs = float(np.mean(np.sign(uses[second] - uses[first])))
    lasted_s = float(times_s[-1] - times_s[0])
    taken = float(np.median(uses)) - wall.used_at_baseline
    if pairs < RISING_PAIRS or taken <= 0.0 or per_s * lasted_s <= RISING_RATIO * taken:
        return
    until_full_s = max(0.0, wall.limit.value - float(uses[-1])) / per_s
    yield Doubt(
        kind=DoubtKind.RISING,
        statement=(
            f"At a constant {units.counted(top.step.connections, 'connection')},"
            f" {RESOURCES[wall.resource]} still rose by"
            f" {units.amount(per_s * lasted_s, wall.resource)} in {units.duration(lasted_s)}"
            f" ({units.share(per_s * lasted_s / taken)} of what the connections use). At that rate"
            f" the limit is reached after {units.duration(until_full_s)}, and the ceiling is too high."
        ),
        remedy=_LINGERS if lingers else _FILLS,
    )


def _carried(step: StepObservation) -> tuple[float, float]:
    assert step.load is not None
    return step.step.connections, step.load.deliveries_per_s
