"""PgBouncer by its file, and a real one filled until it refuses."""

import pytest

WORDS = ("/usr/sbin/pgbouncer", "-d", "/etc/pgbouncer/pgbouncer.ini")
PATH = WORDS[2]


@pytest.mark.parametrize(
    ("text", "cap"),
    [
        ("[pgbouncer]\nmax_client_conn = 50", 50),
        ("[databases]\nmax_client_conn = 5\n[pgbouncer]\n; max_client_conn = 6", 100),
        ("[pgbouncer]\nmax_client_conn = 50\n%include more.ini", 60),
    ],
)
def test_only_its_own_section_counts(made, text, cap):
    made.write(PATH, text)
    made.write("/srv/more.ini", "[pgbouncer]\nmax_client_conn = 60\n")

    assert made.caps(*WORDS) == [(cap, ())]


def test_the_user_is_no_file(made):
    made.write(PATH, "[pgbouncer]\nmax_client_conn = 50\n")

    assert made.caps("pgbouncer", PATH, "-u", "postgres") == [(50, ())]


def test_a_file_that_includes_itself_is_unknown(made):
    made.write(PATH, f"%include {PATH}\n")

    assert "more than 8 deep" in made.unknown(*WORDS).reason


def test_a_real_one_admits_what_was_read(
    start_server, start_postgresql, free_port, fill, log_in, open_folder
):
    postgresql = start_postgresql("max_connections = 30\n")
    port = free_port()
    path = open_folder / "pgbouncer.ini"
    path.write_text(
        f"[databases]\n* = host=127.0.0.1 port={postgresql.port} dbname=postgres user=plain\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n"
        "unix_socket_dir =\npool_mode = transaction\ndefault_pool_size = 5\nmax_client_conn = 22\n"
    )
    pgbouncer = start_server("pgbouncer", path, port=port, user="postgres")

    assert fill(port, ask=log_in("plain"), answer=b"Z\0\0\0\5", patience_s=1.0) == 22
    assert pgbouncer.cap().value == 22


def test_files_may_include_one_another_eight_deep(made):
    made.write(PATH, "%include /srv/1.ini\n")
    for n in range(1, 8):
        made.write(f"/srv/{n}.ini", f"%include /srv/{n + 1}.ini\n")
    made.write("/srv/8.ini", "[pgbouncer]\nmax_client_conn = 70\n")

    assert made.caps(*WORDS) == [(70, ())]
