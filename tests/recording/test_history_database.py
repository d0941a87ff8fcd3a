import pytest

from capacity.domain.errors import ConfigError
from capacity.recording.history_database import database_of, is_file, shown


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgres_takes_the_driver_that_we_install(scheme):
    database = database_of(f"{scheme}://ann@db:5433/capacity")

    assert database.drivername == "postgresql+psycopg"
    assert (database.username, database.host, database.port) == ("ann", "db", 5433)


def test_a_path_is_a_file_and_shown_as_it_was_given():
    database = database_of("reports/history.sqlite")

    assert is_file(database)
    assert shown(database) == "reports/history.sqlite"


def test_a_password_is_never_shown():
    database = database_of("postgresql://ann:hunter2@db/capacity")

    assert not is_file(database)
    assert "hunter2" not in shown(database)
    with pytest.raises(ConfigError) as error:
        database_of("postgresql://ann:hunter2@[db:x/capacity")
    assert "hunter2" not in str(error.value)
