import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from capacity.delivery.webhook import post, secret_bytes, shown, signed
from capacity.domain.errors import ConfigError, NotDeliveredError

SECRET = "whsec_" + base64.b64encode(b"twenty-four bytes of key").decode()
BODY = json.dumps({"text": "capacity 590"}).encode()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers), body))
        self.send_response(self.server.answers.pop(0))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.received, server.answers = [], []
        server.url = f"http://127.0.0.1:{server.server_port}/services/T0/B0/secret"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_is_posted_arrives_with_its_headers(receiver):
    receiver.answers = [204]
    post(receiver.url, {"ce-id": "7", "Content-Type": "application/json"}, BODY)
    ((headers, body),) = receiver.received

    assert body == BODY
    assert (headers["ce-id"], headers["Content-Type"]) == ("7", "application/json")


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_an_answer_that_passes_may_be_tried_again(receiver, status):
    receiver.answers = [status]
    with pytest.raises(NotDeliveredError, match=f"the webhook answered {status}"):
        post(receiver.url, {}, BODY)


@pytest.mark.parametrize("status", [302, 307, 400, 404, 410])
def test_a_refusal_stays_one_and_no_redirection_is_followed(receiver, status):
    receiver.answers = [status]
    with pytest.raises(ConfigError, match=f"refused the event .it answered {status}"):
        post(receiver.url, {}, BODY)

    assert len(receiver.received) == 1


def test_nobody_there_may_be_tried_again_and_the_address_stays_secret():
    with pytest.raises(NotDeliveredError) as error:
        post("http://127.0.0.1:1/services/T0/B0/secret", {}, BODY)

    assert str(error.value).startswith("http://127.0.0.1:1: the webhook does not answer")
    assert shown("https://user:pw@hooks.example:8443/x?k=1") == "https://hooks.example:8443"


def test_the_conventions_own_library_accepts_the_signature():
    import time

    headers = signed("run.capacity.report", BODY, secret_bytes(SECRET, "it"), time.time())

    assert Webhook(SECRET).verify(BODY, headers) == {"text": "capacity 590"}
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY.replace(b"590", b"999"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, headers | {"webhook-id": "another"})


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_no base64!"])
def test_what_is_no_secret_is_told_without_it(text):
    with pytest.raises(ConfigError) as error:
        secret_bytes(text, "CAPACITY_WEBHOOK_SECRET")

    assert str(error.value) == (
        "CAPACITY_WEBHOOK_SECRET: is no webhook secret; give whsec_ and base64 behind it"
    )
