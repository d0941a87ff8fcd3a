"""Certificates made for the test, and TLS in front of any server on loopback."""

import contextlib
import shutil
import ssl
import subprocess
from functools import partial

import gevent
import pytest
from gevent import socket
from gevent.server import StreamServer

from capacity.settings.targets.certificates import Certificates


class Authority:
    """Signs certificates, in a folder of its own."""

    def __init__(self, folder, name="authority"):
        if shutil.which("openssl") is None:
            pytest.skip("the openssl program is missing: apt install openssl")
        self._folder = folder
        folder.mkdir()
        (folder / "openssl.cnf").write_text("[req]\ndistinguished_name=dn\n[dn]\n")
        self.file, self._key = self._issue(
            name, "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"
        )

    def certificate(self, *names):
        """Return files of a certificate for *names* (DNS:…, IP:…) and of its key."""
        return self._issue("one", f"subjectAltName={','.join(names)}", signed_by=self)

    def trusted(self, **more):
        return Certificates(ca_file=self.file, **more)

    def _issue(self, name, *extensions, signed_by=None):
        number = len(list(self._folder.iterdir()))
        files = [str(self._folder / f"{number}.{kind}") for kind in ("pem", "key")]
        command = ["openssl", "req", "-x509", "-config", self._folder / "openssl.cnf", "-nodes"]
        command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2"]
        command += ["-subj", f"/CN={name}", "-out", files[0], "-keyout", files[1]]
        for extension in extensions:
            command += ["-addext", extension]
        if signed_by is not None:
            command += ["-CA", signed_by.file, "-CAkey", signed_by._key]
        subprocess.run(command, check=True, capture_output=True)
        return files


def fronted(port, certificate, client_authority=None, to_host="127.0.0.1"):
    """Start TLS on a port of its own before *port*; asks for certificates of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    names = []
    context.sni_callback = lambda _sock, name, _context: names.append(name)
    if client_authority is not None:
        context.load_verify_locations(client_authority)
        context.verify_mode = ssl.CERT_REQUIRED
    server = StreamServer(("127.0.0.1", 0), partial(_forward, to_host, port), ssl_context=context)
    server.asked_names = names
    server.start()
    return server


def _forward(host, port, sock, _address):
    with socket.create_connection((host, port)) as behind:
        there = gevent.spawn(_copy, sock, behind)
        _copy(behind, sock)
        there.join(timeout=1)


def _copy(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
