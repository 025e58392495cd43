"""An endpoint is looked at before it is used, over real HTTP."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from assistant.errors import EngineError
from assistant.models.endpoint import look_at


class Endpoint(BaseHTTPRequestHandler):
    """Two models; a streamed greeting for whoever brings the key."""

    def do_GET(self) -> None:
        self._send("application/json", json.dumps({"data": [{"id": "big"}, {"id": "small"}]}))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        if self.headers["authorization"] != "Bearer key":
            self.send_error(401)
            return
        events = [{"choices": [{"delta": {"content": "Hello!"}}]}, {"choices": [{"finish_reason": "stop"}]}]
        lines = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        self._send("text/event-stream", f"{lines}data: [DONE]\n\n")

    def _send(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *values: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_without_a_model_it_says_which_there_are(url: str) -> None:
    assert look_at(url, "").models == ("big", "small")


def test_a_model_is_asked_once(url: str) -> None:
    found = look_at(url, "big", "key")
    assert found.answer == "Hello!" and found.models == ("big", "small") and found.seconds > 0


def test_a_wrong_key_a_wrong_address_and_a_silent_port_are_one_sentence(url: str) -> None:
    for address, key, said in (
        (url, "other", "401"),
        ("there", "", "should be a URL"),
        ("http://127.0.0.1:9", "", "127.0.0.1:9"),
    ):
        with pytest.raises(EngineError, match=said):
            look_at(address, "big", key)
