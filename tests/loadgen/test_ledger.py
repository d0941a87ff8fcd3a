from capacity.domain.histogram import bucket_of
from capacity.loadgen.ledger import Ledger


def test_taking_returns_what_happened_under_the_tag_and_starts_anew():
    ledger = Ledger(since_s=10.0)
    ledger.turn_to(3, "plateau")
    ledger.deliveries += 5
    ledger.fail("connect_refused")
    ledger.fail("connect_refused")
    ledger.delivery_delay += [1000, 1000, 7]
    first = ledger.take(12.5)
    second = ledger.take(13.0)

    assert (3, "plateau", 2.5) == (first["index"], first["phase"], first["seconds"])
    assert (5, {"connect_refused": 2}) == (first["deliveries"], first["failures"])
    assert {bucket_of(1000): 2, bucket_of(7): 1} == first["histograms"]["delivery_delay"]
    assert (0, {}, {}, 0.5) == (
        second["deliveries"],
        second["failures"],
        second["histograms"],
        second["seconds"],
    )
