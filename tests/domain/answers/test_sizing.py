from capacity.domain.answers.sizing import SizedHost
from capacity.domain.resources import Resource


def test_what_is_lost_is_what_does_not_survive():
    host = SizedHost(
        host="any",
        safe_connections=100,
        usable_connections=80,
        binding=Resource.MEMORY,
        instances=12,
        survivors=8,
        connections_at_peak=50.0,
        utilization_at_peak=0.5,
        connections_after_loss=75.0,
        utilization_after_loss=0.75,
        price_per_month=None,
        currency="",
        walls=(),
    )

    assert host.lost == 4
