"""How far two clocks are apart, from what both sides saw: connections opened and descriptors taken.

The generator's count of open connections and the target's use are one curve but for scale and
clock. The offset is the shift with the highest correlation (Pearson's r, as in any cross-correlation
of two signals); it is known as well as the correlation tells it from its neighbours.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capacity.domain.resources import Resource
from capacity.domain.run import ClockOffset, LoadPoint
from capacity.domain.sample import Sample

_REACH_S = 3600
_FINE_S = 0.1
_FEWEST = 20
"""Seconds of load that both sides must have seen."""
_LEAST_CORRELATION = 0.95
_OVERLAP_RATIO = 0.9
_ALIKE = 2.0
"""Shifts that leave up to so much more unexplained than the best are as likely."""
_LEAST_ERROR_S = 1.0
"""Both sides look once a second."""
_FOLLOWS = (Resource.APPLICATION_CONNECTIONS, Resource.DESCRIPTORS)


def offset_between(points: Sequence[LoadPoint], samples: Sequence[Sample]) -> ClockOffset | None:
    """Return the samples' clock minus the points'; None when the two curves do not tell."""
    best: ClockOffset | None = None
    for resource in _FOLLOWS:
        read = [(sample.at, sample.used[resource]) for sample in samples if resource in sample.used]
        if len(read) < _FEWEST or len(points) < _FEWEST:
            continue
        times, use = np.array(read).T
        opened = np.array([(point.at, point.open_connections) for point in points], dtype=float)
        found = _offset(opened[:, 0], opened[:, 1], times, use)
        if found is not None and (best is None or found.error_s < best.error_s):
            best = found
    return best


def _offset(
    at: NDArray[np.float64],
    load: NDArray[np.float64],
    times: NDArray[np.float64],
    use: NDArray[np.float64],
) -> ClockOffset | None:
    def correlations(shifts: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([_correlation(at + shift, load, times, use) for shift in shifts])

    coarse = np.arange(-_REACH_S, _REACH_S + 1, dtype=float)
    near = coarse[int(np.argmax(correlations(coarse)))]
    fine = near + np.arange(-15, 15 + _FINE_S, _FINE_S)
    found = correlations(fine)
    best = float(found.max())
    if best < _LEAST_CORRELATION:
        return None
    alike = fine[1 - found**2 <= _ALIKE * (1 - best**2) + 1e-9]
    return ClockOffset(
        offset_s=float(alike.mean()),
        error_s=max(_LEAST_ERROR_S, float(alike.max() - alike.min()) / 2),
    )


def _correlation(
    at: NDArray[np.float64],
    load: NDArray[np.float64],
    times: NDArray[np.float64],
    use: NDArray[np.float64],
) -> float:
    seen = (at >= times[0]) & (at <= times[-1])
    if seen.sum() < max(_FEWEST, _OVERLAP_RATIO * len(at)):
        return 0.0
    there = np.interp(at[seen], times, use)
    if there.std() == 0 or load[seen].std() == 0:
        return 0.0
    return float(np.corrcoef(load[seen], there)[0, 1])
