"""Tinyproxy by its file, and a real one filled until it refuses."""

WORDS = ("/usr/bin/tinyproxy", "-d", "-c", "/etc/tinyproxy/tinyproxy.conf")


def test_max_clients_is_the_cap(made):
    made.write(WORDS[3], "Port 8888\nMaxClients 50\n")
    (entry,) = made.entries(*WORDS)

    assert (entry.value, entry.source) == (50, f"{WORDS[3]}:2: maxclients 50")


def test_the_usual_file_is_looked_for_and_the_default_is_a_hundred(made):
    made.write(WORDS[3], "# MaxClients 50\n")

    assert made.caps("tinyproxy") == [(100, ())]


def test_a_real_one_admits_what_was_read(start_server, free_port, backend, fill, tmp_path):
    port = free_port()
    path = tmp_path / "tinyproxy.conf"
    path.write_text(f"Port {port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 18\nLogLevel Error\n")
    tinyproxy = start_server("tinyproxy", "-d", "-c", path, port=port)
    ask = f"CONNECT 127.0.0.1:{backend} HTTP/1.0\r\n\r\n".encode()

    assert fill(port, ask=ask, answer=b" 200 ") == tinyproxy.cap().value == 18
