"""What the answers to a request mean, whatever the target puts into them."""

import pytest

from capacity.workload.dialects.answers import Ack, AckError, compiled_ack, id_place

JSON_RPC = compiled_ack(
    Ack(
        where={"id": "{id:int}"},
        ok={"result": {"exists": True}},
        accepted="result",
        error=AckError(where={"error": {"exists": True}}, code="error.code", message="error.text"),
    )
)


@pytest.mark.parametrize(
    ("frame", "refusal"),
    [
        ({"id": 1, "result": []}, None),
        ({"id": 1, "error": {"code": 7, "text": "full"}}, "refused: 7 full"),
        ({"id": 1, "error": {"code": [7]}}, "refused"),
        ({"id": 1}, "answered with neither a confirmation nor an error"),
    ],
)
def test_an_answer_confirms_or_says_why_not(frame, refusal):
    assert refusal == JSON_RPC.refusal(frame)


def test_a_refusal_is_shown_in_no_more_than_120_letters_a_word():
    frame = {"id": 1, "error": {"code": "x" * 121, "text": "y" * 120}}

    assert f"refused: {'x' * 120} {'y' * 120}" == JSON_RPC.refusal(frame)


def test_an_answer_is_known_by_the_id_of_its_request_where_it_has_one():
    assert (7, int) == (JSON_RPC.id_of({"id": 7}), JSON_RPC.id_type)
    assert str is compiled_ack(Ack(where={"id": "{id:str}"})).id_type
    assert compiled_ack(Ack(where={"t": "ok"})).id_of is None


@pytest.mark.parametrize(
    ("expected", "is_place"),
    [("{id:int}", True), ("{id}", True), ("x{id}", False), ("{channel}", False), (7, False)],
)
def test_only_a_whole_place_for_the_id_stands_for_the_id(expected, is_place):
    assert (id_place(expected) is not None) is is_place


@pytest.mark.parametrize(
    ("frame", "is_error"),
    [
        ({"id": 9, "error": {"code": 7}}, True),
        ({"error": {"text": "token expired"}}, True),
        ({"error": None, "result": "pong"}, False),
        ({"error": {}}, False),
        ({"result": {"code": 7}}, False),
    ],
)
def test_what_answers_nothing_is_an_error_by_its_words_or_code(frame, is_error):
    assert is_error is JSON_RPC.tells_error(frame)
