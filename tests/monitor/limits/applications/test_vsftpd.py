"""vsftpd by its file, and a real one filled until it refuses."""


def test_max_clients_is_the_cap_and_zero_is_none(made):
    made.write("/etc/vsftpd.conf", "max_clients=50\nmax_per_ip=5\n")

    assert made.caps("/usr/sbin/vsftpd") == [(50, ())]
    assert made.entries("vsftpd")[0].value == 5

    made.write("/mine.conf", "max_clients=0\n")

    assert made.entries("vsftpd", "/mine.conf")[-1].state.value == "unlimited"


def test_the_default_is_two_thousand(made):
    made.write("/etc/vsftpd.conf", "#max_clients=50\n")

    assert made.caps("vsftpd") == [(2000, ())]


def test_a_real_one_admits_what_was_read(start_server, free_port, fill, tmp_path):
    port = free_port()
    path = tmp_path / "vsftpd.conf"
    path.write_text(
        f"listen=YES\nlisten_port={port}\nlisten_address=127.0.0.1\nbackground=NO\n"
        f"anonymous_enable=YES\nseccomp_sandbox=NO\nsecure_chroot_dir={tmp_path}\nmax_clients=17\n"
    )
    vsftpd = start_server("vsftpd", path, port=port)

    assert fill(port, ask=b"", answer=b"220") == vsftpd.cap().value == 17
