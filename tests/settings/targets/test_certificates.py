"""Files of certificates and keys."""

import pytest

from capacity.settings.targets.certificates import Certificates, certificate_findings


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "our.key"
    path.write_text("PEM")
    path.chmod(0o600)
    return path


def keyed(key):
    return Certificates(client_certificate_file=str(key), client_key_file=str(key))


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o660])
def test_a_key_may_be_read_by_its_owner_and_group(key, mode):
    key.chmod(mode)

    assert [] == list(certificate_findings(keyed(key), tls=True))


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o606])
def test_a_key_that_others_may_read_or_write_is_refused(key, mode):
    key.chmod(mode)

    ((place, sentence),) = certificate_findings(keyed(key), tls=True)
    assert ("certificates", "client_key_file") == place
    assert f"{key}: others may read or write it; chmod o= {key}" == sentence


@pytest.mark.parametrize("missing", ["client_key_file", "client_certificate_file"])
def test_a_certificate_and_its_key_go_together(key, missing):
    half = keyed(key).model_copy(update={missing: None})

    ((_place, sentence),) = certificate_findings(half, tls=True)
    assert sentence.startswith(f"needs {missing}")


def test_without_tls_they_are_of_no_use(key):
    assert [(("certificates",), "are of no use without tls: true")] == list(
        certificate_findings(keyed(key), tls=False)
    )


@pytest.mark.parametrize(("length", "is_name"), [(253, True), (254, False)])
def test_a_server_name_has_at_most_253_characters(length, is_name):
    if is_name:
        assert Certificates(server_name="a" * length).server_name == "a" * length
        return
    with pytest.raises(ValueError, match="must be a host name and nothing else"):
        Certificates(server_name="a" * length)
