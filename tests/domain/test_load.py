import pytest

from capacity.domain.load import LoadVector


def test_the_mix_is_the_load_of_one_connection():
    load = LoadVector(
        connections=50,
        deliveries_per_s=100,
        delivered_bytes_per_s=20_000,
        requests_per_s=5,
        handshakes_per_s=1,
    )
    expected = LoadVector(
        connections=1,
        deliveries_per_s=2,
        delivered_bytes_per_s=400,
        requests_per_s=0.1,
        handshakes_per_s=0.02,
    )

    assert expected == load.per_connection()


def test_an_empty_plateau_has_no_mix():
    load = LoadVector(
        connections=0,
        deliveries_per_s=0,
        delivered_bytes_per_s=0,
        requests_per_s=0,
        handshakes_per_s=0,
    )
    with pytest.raises(ZeroDivisionError):
        load.per_connection()
