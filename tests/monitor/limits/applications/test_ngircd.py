"""ngIRCd by its file, and a real one filled until it refuses."""

import pytest


def test_max_connections_is_the_cap(made):
    made.write(
        "/etc/ngircd/ngircd.conf", "[Limits]\n\tMaxConnections = 50\n\tMaxConnectionsIP = 5\n"
    )
    entries = made.entries("/usr/sbin/ngircd")

    assert [(entry.value, entry.resource is None) for entry in entries] == [(5, True), (50, False)]


@pytest.mark.parametrize("text", ["", "MaxConnections = 0", "; MaxConnections = 5"])
def test_none_is_said_where_it_was_read(made, text):
    made.write("/mine.conf", f"[Limits]\n{text}\n")

    assert made.entries("ngircd", "-f", "/mine.conf")[-1].state.value == "unlimited"


def test_a_real_one_admits_what_was_read(start_server, free_port, fill, tmp_path):
    port = free_port()
    path = tmp_path / "ngircd.conf"
    path.write_text(
        f"[Global]\nName=a.b.c\nInfo=x\nPorts={port}\nListen=127.0.0.1\nServerUID=root\nServerGID=root\n"
        "[Limits]\nMaxConnections=16\nMaxConnectionsIP=0\n[Options]\nDNS=no\nIdent=no\nPAM=no\n"
    )
    ngircd = start_server("ngircd", "-n", "-f", path, port=port)

    assert fill(port, ask=b"CAP LS\r\n", answer=b"CAP") == ngircd.cap().value == 16
