from datetime import UTC, datetime

import pytest

from capacity.exchange.market.instruments import MOST_INSTRUMENTS, Kind, listed_instruments


@pytest.mark.parametrize("count", [1, 9, 10, 11, MOST_INSTRUMENTS])
def test_as_many_as_asked_for_are_listed_under_different_names(count):
    names = [instrument.name for instrument in listed_instruments(count)]

    assert len(set(names)) == len(names) == count


def test_perpetuals_come_first_and_options_follow():
    listed = listed_instruments(12)

    assert listed[0].name == "BTC-PERPETUAL"
    assert [instrument.kind for instrument in listed] == [Kind.FUTURE] * 10 + [Kind.OPTION] * 2
    assert listed[10].name == "BTC-28JUN30-45600-C"


def test_a_shorter_list_is_the_start_of_a_longer_one():
    assert listed_instruments(15) == listed_instruments(40)[:15]


def test_no_name_has_a_dot_for_dots_part_the_names_of_channels():
    assert not [i.name for i in listed_instruments(MOST_INSTRUMENTS) if "." in i.name]


def test_options_expire_at_eight_in_the_morning():
    option = listed_instruments(11)[10]

    assert option.expires_at_ms == datetime(2030, 6, 28, 8, tzinfo=UTC).timestamp() * 1_000


def test_prices_are_ticks_times_tick_size():
    bitcoin = listed_instruments(1)[0]

    assert bitcoin.price_at(120_001) == 60_000.5
