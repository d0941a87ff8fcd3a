import asyncio

import pytest

from capacity.exchange.api.heartbeat import HEARTBEAT, TEST_REQUEST, Heartbeat
from capacity.exchange.frames import text_frame


@pytest.fixture
def story(in_no_time):
    """Return what a heartbeat of 50 ms with 80 ms of grace did while *act* ran."""

    def of(act):
        told = []

        async def run():
            heartbeat = Heartbeat(
                interval_s=0.05, grace_s=0.08, send=told.append, end=lambda: told.append("ended")
            )
            await act(heartbeat, told)
            heartbeat.stop()

        in_no_time(run())
        return told

    return of


def test_frames_are_those_of_the_dialect():
    expected = b'{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}'

    assert text_frame(expected) == TEST_REQUEST


def test_it_asks_every_interval_and_goes_on_when_answered(story):
    async def answer(heartbeat, _told):
        for _ in range(10):
            await asyncio.sleep(0.025)
            heartbeat.answered()

    told = story(answer)

    assert told[:2] == [HEARTBEAT, TEST_REQUEST]
    assert set(told) == {HEARTBEAT, TEST_REQUEST}
    assert 6 <= len(told) <= 10


def test_the_first_unanswered_request_ends_the_connection_after_the_grace_period(story):
    async def stay_silent(_heartbeat, told):
        await asyncio.sleep(0.1)
        assert "ended" not in told
        await asyncio.sleep(0.08)

    told = story(stay_silent)

    assert told.count("ended") == 1


def test_once_stopped_it_is_silent(story):
    async def stop(heartbeat, _told):
        await asyncio.sleep(0.06)
        heartbeat.stop()
        await asyncio.sleep(0.15)

    assert story(stop) == [HEARTBEAT, TEST_REQUEST]


def test_stopping_twice_is_harmless(story):
    async def stop(heartbeat, _told):
        await asyncio.sleep(0)
        heartbeat.stop()

    assert story(stop) == []
