"""
Connections that the kernel spreads by chance over k processes: when is the fullest one full?

With SO_REUSEPORT each connection goes to a process by the hash of its addresses and ports, so the
counts are multinomial: n/k each, with a standard deviation of √(n/k · (1 − 1/k)). The fullest is
above its even share by z·√(n/k), where z is the largest of k standard normal values less their mean
(at k = 2: half-normal with a median of 0.48). The excess grows with √n while the share grows with n:
what few connections showed of it must not be taken for a slope.
"""

import numpy as np
from numpy.typing import NDArray

from capacity.models.uncertainty.bootstrap import SEED

_DRAWS = 20_000
_BY_CHANCE = 0.98
"""An excess that chance stays below this often may be chance."""


def excesses(processes: int, quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return z at *quantiles*: by how many √(n/k) the fullest of k is above an even share."""
    normals = np.random.default_rng(SEED).standard_normal((_DRAWS, processes))
    largest = normals.max(axis=1) - normals.mean(axis=1)
    return np.asarray(np.quantile(largest, quantiles))


def is_by_chance(excess: float, processes: int, connections: float) -> bool:
    """Tell whether chance explains by how many connections the fullest is above its even share."""
    (most,) = excesses(processes, np.array([_BY_CHANCE]))
    return excess <= float(most) * float(np.sqrt(connections / processes))


def connections_until_fullest(
    room: float, processes: int, units: float, excess: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return n where units·(n/k + z·√(n/k)) meets *room*, one for each z of *excess*."""
    root = (np.sqrt(excess**2 + 4.0 * max(room, 0.0) / units) - excess) / 2.0
    return np.asarray(processes * root**2)
