"""Tokens, keys and certificates: what protects nothing is refused with what to type."""

import os
import ssl
import subprocess

import pytest

from capacity.domain.errors import ConfigError
from capacity.monitor.serving.credentials import client_context, read_token, server_context


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (("", 0o600), "is empty"),
        ((" \n", 0o600), "is empty"),
        (("s3cret-of-16-letters\n", 0o644), "others may read or write it; chmod go= {path}"),
        (("s3cret-of-16-letters\n", 0o602), "others may read or write it; chmod go= {path}"),
        (("s3cret-of-16-letters\n", 0o640), "its group may read or write it; chmod go= {path}"),
        (("s3cret-of-16-letters\n", 0o620), "its group may read or write it; chmod go= {path}"),
        (("two words\n", 0o600), "one word"),
        (("tab\tbed\n", 0o600), "one word"),
        (("s\u00e9cret\n", 0o600), "printable ASCII"),
        ((None, 0), "No such file or directory; name a file that exists"),
        (("x" * 15 + "\n", 0o600), "a token of 15 letters can be guessed; give it 16 or more"),
    ],
)
def test_a_token_that_protects_nothing_is_refused(tmp_path, written, words):
    text, mode = written
    path = tmp_path / "token"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    with pytest.raises(ConfigError) as caught:
        read_token(path)

    assert str(caught.value).startswith(f"--token-file {path}: ")
    assert words.format(path=path) in str(caught.value)


def test_the_remedy_it_names_makes_the_token_good(tmp_path):
    path = tmp_path / "token"
    path.write_text("s3cret-of-16-letters\n")
    path.chmod(0o644)
    with pytest.raises(ConfigError) as caught:
        read_token(path)
    subprocess.run(str(caught.value).partition("; ")[2].split(), check=True)

    assert read_token(path) == "s3cret-of-16-letters"


def test_a_folder_is_no_token(tmp_path):
    tmp_path.chmod(0o700)
    with pytest.raises(ConfigError, match="is no regular file"):
        read_token(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_what_somebody_else_hands_over_may_come_through_its_group(tmp_path):
    path = tmp_path / "token"
    path.write_text("s3cret-of-16-letters\n")
    path.chmod(0o440)
    os.chown(path, 65534, 0)

    assert read_token(path) == "s3cret-of-16-letters"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_what_another_user_keeps_to_himself_is_not_ours_to_send(tmp_path):
    path = tmp_path / "token"
    path.write_text("s3cret\n")
    path.chmod(0o600)
    os.chown(path, 65534, 65534)

    with pytest.raises(ConfigError, match="belongs to another user"):
        read_token(path)


def test_a_pipe_is_not_waited_for(tmp_path):
    path = tmp_path / "token"
    os.mkfifo(path, 0o600)

    with pytest.raises(ConfigError, match="is no regular file"):
        read_token(path)


def test_without_a_certificate_there_is_no_tls():
    assert server_context(None, None) is None


def test_a_certificate_and_its_key_serve_tls(certificate):
    context = server_context(certificate.file, certificate.key)

    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_one_without_the_other_is_refused(certificate):
    for pair in [(certificate.file, None), (None, certificate.key)]:
        with pytest.raises(ConfigError, match="--certificate and --key go together"):
            server_context(*pair)


def test_a_key_that_others_may_read_is_refused(certificate, tmp_path):
    key = tmp_path / "key.pem"
    key.write_bytes(certificate.key.read_bytes())
    key.chmod(0o644)
    with pytest.raises(ConfigError, match=f"--key {key}: others may read"):
        server_context(certificate.file, key)


def test_files_that_hold_something_else_are_refused(certificate, tmp_path):
    junk = tmp_path / "junk.pem"
    junk.write_text("-----BEGIN NOTHING-----\n")
    junk.chmod(0o600)
    for pair in [(junk, certificate.key), (certificate.file, junk), (certificate.key, junk)]:
        with pytest.raises(ConfigError, match="not a certificate and its key in PEM format"):
            server_context(*pair)


def test_a_key_with_a_password_is_refused_instead_of_asked_for(certificate, tmp_path):
    key = tmp_path / "locked.pem"
    line = f"openssl pkey -in {certificate.key} -aes128 -passout pass:x -out {key}"
    subprocess.run(line.split(), check=True, capture_output=True)
    with pytest.raises(ConfigError, match="without a password"):
        server_context(certificate.file, key)


def test_authorities_that_are_none_are_refused(tmp_path):
    junk = tmp_path / "junk.pem"
    junk.write_text("nothing")
    for path in (junk, tmp_path / "absent.pem"):
        with pytest.raises(ConfigError, match=f"--ca-file {path}: not a file of certificates"):
            client_context(path)


def test_whom_we_push_to_is_checked_by_name_and_by_authority(certificate):
    context = client_context(certificate.file)

    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert [dict(each["subject"][0])["commonName"] for each in context.get_ca_certs()] == [
        "localhost"
    ]


def test_sixteen_letters_are_enough(tmp_path):
    path = tmp_path / "token"
    path.write_text("x" * 16)
    path.chmod(0o600)

    assert "x" * 16 == read_token(path)


def test_a_pipe_is_no_token_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(ConfigError, match="is no regular file"):
        read_token(tmp_path / "pipe")
