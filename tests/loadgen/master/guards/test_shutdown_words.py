import pytest

from capacity.loadgen.master.guards.shutdown_words import ShutdownWords

RESTART = "closed with 1012 'service restart'"


@pytest.mark.parametrize("text", [RESTART, "closed with 1001 'shutting down'"])
def test_a_shutdown_that_was_said_in_the_step_is_told_with_its_code_and_words(text):
    shutdown = ShutdownWords()
    shutdown.note(2, ["closed with 1000 'bye'", text])
    told = shutdown.told(2, "the target dropped 4 of 4 connections")

    assert told.startswith(
        f"the target dropped 4 of 4 connections; the target {text}, as in a planned shutdown: "
    )
    assert "health check" in told


def test_one_that_was_said_to_private_connections_alone_is_told_as_well():
    shutdown = ShutdownWords()
    shutdown.note(2, [f"private: {RESTART}"])

    assert f"; the target {RESTART}, as in a planned" in shutdown.told(2, "4 were dropped")


@pytest.mark.parametrize(
    ("index", "text"),
    [
        (1, RESTART),
        (3, RESTART),
        (2, "closed with 1000 'bye'"),
        (2, "closed with 10120"),
        (2, "503, closed with 1012"),
    ],
)
def test_what_was_said_in_another_step_or_is_no_shutdown_is_not(index, text):
    shutdown = ShutdownWords()
    shutdown.note(index, [text])

    assert "dropped" == shutdown.told(2, "dropped")
