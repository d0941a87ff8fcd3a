"""What is kept of a frame without a rule."""

from hypothesis import given
from hypothesis import strategies as st

from capacity.workload.reception import Kind, unmatched


@given(st.binary(max_size=1000), st.sampled_from([bytes, bytearray, memoryview]))
def test_any_payload_can_be_shown_and_only_its_beginning_is(payload, form):
    reception = unmatched("no rule for", form(payload))

    assert reception.kind is Kind.UNMATCHED
    assert reception.problem is not None
    assert len(reception.problem) <= len("no rule for: ") + 4 * 120
    reception.problem.encode()  # Raises if it were no text that can be written down.


def test_a_payload_is_shown_as_it_came():
    reception = unmatched("not JSON", b'{"a":1 \xff')

    assert reception.problem == 'not JSON: {"a":1 \\xff'
