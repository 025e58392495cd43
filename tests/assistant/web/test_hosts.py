"""Foreign hosts and foreign pages are kept out; people, programs and reverse proxies get in."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect
from streamlit import net_util
from streamlit.web.server.starlette import starlette_websocket

from assistant.settings import Settings
from assistant.web.hosts import AllowedHosts, HostCheck, is_loopback, url_of
from tests.assistant.web.servers import guarded


def client(home: Path, **settings: object) -> TestClient:
    return TestClient(guarded(home, **settings), base_url="http://127.0.0.1:8501")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8501", "localhost:8501", "[::1]:8501", "LOCALHOST", "localhost."]
)
def test_this_machine_is_answered(tmp_path: Path, host: str) -> None:
    assert client(tmp_path).get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example:8501", "127.0.0.1.evil.example", "192.168.1.7:8501", "a@127.0.0.1", "", "127.0.0.1:x"],
)
def test_another_host_is_refused_with_a_sentence(tmp_path: Path, host: str) -> None:
    refused = client(tmp_path).get("/v1/models", headers={"host": host})
    assert refused.status_code == 403
    assert "name the host in IMPRINT_ALLOWED_HOSTS" in refused.json()["error"]["message"]


def test_the_host_of_the_settings_and_the_published_one_are_answered(tmp_path: Path) -> None:
    asked = client(tmp_path, host="192.168.1.7", allowed_hosts="imprint.example.org, other.example:8443")
    for host, status in {
        "192.168.1.7:8501": 200,
        "imprint.example.org": 200,
        "other.example:8443": 200,
        "192.168.1.8:8501": 403,
        "sub.imprint.example.org": 403,
    }.items():
        assert asked.get("/", headers={"host": host}).status_code == status, host


def test_a_server_on_all_interfaces_answers_for_addresses_and_not_for_names(tmp_path: Path) -> None:
    asked = client(tmp_path, host="0.0.0.0")
    assert asked.get("/", headers={"host": "192.168.1.7:8501"}).status_code == 200
    assert asked.get("/", headers={"host": "evil.example:8501"}).status_code == 403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1:9", "http://localhost:8501", "null"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_a_foreign_page_is_refused(tmp_path: Path, origin: str, method: str) -> None:
    refused = client(tmp_path).request(method, "/v1/files", headers={"origin": origin})
    assert refused.status_code == 403 and "another site" in refused.json()["error"]["message"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9"])
def test_a_websocket_of_a_foreign_page_is_refused(tmp_path: Path, origin: str) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        client(tmp_path).websocket_connect("ws://127.0.0.1:8501/", headers={"origin": origin}),
    ):
        pass


def test_the_own_page_is_answered(tmp_path: Path) -> None:
    own = {"origin": "http://127.0.0.1:8501", "host": "127.0.0.1:8501", "sec-fetch-site": "same-origin"}
    assert client(tmp_path).post("/", headers=own).status_code == 200
    form = {"origin": "null", "sec-fetch-site": "same-origin"}
    assert client(tmp_path).post("/", headers=form).status_code == 200
    with client(tmp_path).websocket_connect("ws://127.0.0.1:8501/", headers=own):
        pass


def test_what_a_foreign_page_embeds_is_refused_and_a_link_is_followed(tmp_path: Path) -> None:
    embedded = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    asked = client(tmp_path)
    assert asked.get("/v1/models", headers=embedded).status_code == 403
    assert asked.get("/", headers=link).status_code == 200
    assert asked.post("/", headers=link).status_code == 403


def test_a_page_behind_a_reverse_proxy_is_its_own_whatever_host_the_proxy_names(tmp_path: Path) -> None:
    asked = client(tmp_path, allowed_hosts="imprint.example.org")
    for host in ("127.0.0.1:8501", "imprint.example.org"):
        headers = {"host": host, "origin": "https://imprint.example.org"}
        assert asked.post("/", headers=headers).status_code == 200
        other_port = headers | {"origin": "https://imprint.example.org:9"}
        assert asked.post("/", headers=other_port).status_code == 403


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8501", "https://imprint.example.org"),
        ("IMPRINT.example.org", "https://imprint.example.org"),
    ],
)
def test_streamlit_never_has_to_ask_for_the_address_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, origin: str
) -> None:
    """It would, of a server on the internet, wherever Host and Origin differ."""

    def asked() -> str:
        raise AssertionError("Streamlit asked for the address of this machine")

    monkeypatch.setattr(net_util, "get_external_ip", asked)
    monkeypatch.setattr(starlette_websocket, "is_host_allowed", lambda host: True)
    seen = []

    async def streamlit(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        seen.append(starlette_websocket._is_origin_allowed(headers["origin"], headers["host"]))
        await receive()
        await send({"type": "websocket.accept"})

    settings = Settings(home=tmp_path, allowed_hosts="imprint.example.org")
    app = HostCheck(streamlit, AllowedHosts.of(settings), api=False)
    with TestClient(app).websocket_connect("ws://127.0.0.1:8501/", headers={"host": host, "origin": origin}):
        pass
    assert seen == [True]


def test_addresses_are_told_as_a_browser_wants_them() -> None:
    assert url_of("127.0.0.1", 8501) == "http://127.0.0.1:8501"
    assert url_of("::1", 8501) == "http://[::1]:8501"
    assert [is_loopback(host) for host in ("localhost", "::1", "0.0.0.0", "192.168.1.7")] == [
        True,
        True,
        False,
        False,
    ]
