import pytest

from capacity.loadgen.guarding import Guard
from capacity.loadgen.tally import Tally
from capacity.settings.profile import ProfileGuards


@pytest.fixture
def tally(report):
    def of(failures):
        tally = Tally()
        tally.add("a", report(connects=50, failures=failures))
        return tally

    return of


@pytest.mark.parametrize(
    ("failures", "guard"),
    [
        ({}, None),
        ({"connect_refused": 5}, None),
        ({"connect_refused": 20}, "refusal"),
        ({"handshake_rejected_503": 9, "connect_timeout": 9}, "refusal"),
        ({"generator_ports": 40}, None),
        ({"request_answered_500": 40}, None),
    ],
)
def test_only_what_lets_nobody_in_counts_as_refusal(tally, failures, guard):
    trip = Guard(ProfileGuards(), ()).trip([], tally(failures))

    assert guard == (trip.guard if trip else None)


def test_a_profile_without_guards_goes_on_whatever_happens(tally):
    assert Guard(None, ()).trip([], tally({"connect_refused": 500})) is None
