"""Nobody gets in without the token: programs send it, people type it once, guessing ends soon."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from assistant.i18n.texts import TEXTS
from assistant.web.attempts import MAX_ATTEMPTS, PERIOD_SECONDS, Attempts
from assistant.web.token_check import COOKIE, LOGOUT
from tests.assistant.web.servers import TOKEN, guarded

BROWSER = {"accept": "text/html,application/xhtml+xml", "accept-language": "en-GB,en;q=0.9"}
OWN = {"origin": "http://127.0.0.1"}


def server(home: Path) -> TestClient:
    return TestClient(guarded(home, token=TOKEN), base_url="http://127.0.0.1")


def pages(home: Path, token: str = TOKEN) -> TestClient:
    return TestClient(guarded(home, api=False, token=token), base_url="http://127.0.0.1")


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_a_program_sends_the_token(tmp_path: Path) -> None:
    asked = server(tmp_path)
    refused = asked.get("/v1/models")
    assert refused.status_code == 401 and "IMPRINT_TOKEN" in refused.json()["error"]["message"]
    assert asked.get("/v1/models", headers=bearer(TOKEN)).status_code == 200
    assert asked.get("/v1/models", headers=bearer(TOKEN[:-1])).status_code == 401
    assert asked.get("/v1/models", headers={"authorization": "Bearer"}).status_code == 401
    assert asked.get("/health").status_code == 200


def test_a_cookie_of_the_pages_does_not_open_the_server(tmp_path: Path) -> None:
    opened = pages(tmp_path)
    opened.post("/", data={"token": TOKEN}, headers=OWN)
    cookie = {COOKIE: opened.cookies[COOKIE]}
    asked = server(tmp_path)
    asked.cookies.update(cookie)
    assert asked.get("/v1/models").status_code == 401


def test_a_person_types_the_token_once(tmp_path: Path) -> None:
    asked = pages(tmp_path)
    shown = asked.get("/knowledge?c=3", headers=BROWSER)
    assert shown.status_code == 401 and 'type="password"' in shown.text
    done = asked.post("/knowledge?c=3", data={"token": TOKEN}, headers=OWN, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, "/knowledge?c=3")
    cookie = done.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and TOKEN not in cookie
    assert asked.get("/knowledge").text == "0 bytes"
    with asked.websocket_connect("ws://127.0.0.1/_stcore/stream", headers=OWN):
        pass


def test_a_wrong_token_shows_the_page_again(tmp_path: Path) -> None:
    asked = pages(tmp_path)
    again = asked.post("/", data={"token": "wrong"}, headers=OWN)
    assert again.status_code == 401 and TEXTS["login.wrong"]["en"] in again.text
    assert asked.post("/", data={"token": "x" * 9000}, headers=OWN).status_code == 401
    assert COOKIE not in asked.cookies


@pytest.mark.parametrize("cookie", ["", "imprint", "imprint.x.y", TOKEN])
def test_a_made_up_cookie_opens_nothing(tmp_path: Path, cookie: str) -> None:
    asked = pages(tmp_path)
    asked.cookies.set(COOKIE, cookie)
    assert asked.get("/").status_code == 401
    with pytest.raises(WebSocketDisconnect), asked.websocket_connect("ws://127.0.0.1/_stcore/stream"):
        pass


def test_another_token_ends_what_was_open(tmp_path: Path) -> None:
    opened = pages(tmp_path)
    opened.post("/", data={"token": TOKEN}, headers=OWN)
    changed = pages(tmp_path, "another token of many characters")
    changed.cookies.update(opened.cookies)
    assert changed.get("/").status_code == 401


def test_the_page_speaks_the_language_of_the_browser_or_the_settings(tmp_path: Path) -> None:
    chinese = BROWSER | {"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}
    assert TEXTS["login.lead"]["zh"] in pages(tmp_path).get("/", headers=chinese).text
    fixed = TestClient(guarded(tmp_path, api=False, token=TOKEN, language="zh"), base_url="http://127.0.0.1")
    assert TEXTS["login.lead"]["zh"] in fixed.get("/", headers=BROWSER).text
    odd = BROWSER | {"accept-language": '"><script>'}
    assert "<script>" not in pages(tmp_path).get("/", headers=odd).text


def test_a_login_never_leads_to_another_site(tmp_path: Path) -> None:
    done = pages(tmp_path).post(
        "http://127.0.0.1//evil.example/x", data={"token": TOKEN}, headers=OWN, follow_redirects=False
    )
    assert done.headers["location"] == "/evil.example/x"


@pytest.mark.parametrize("way", ["header", "form"])
def test_guessing_is_stopped_even_where_the_next_guess_is_right(tmp_path: Path, way: str) -> None:
    asked = pages(tmp_path)

    def guess(token: str) -> int:
        if way == "header":
            return asked.get("/", headers=bearer(token)).status_code
        return asked.post("/", data={"token": token}, headers=OWN).status_code

    assert [guess(f"guess {number}") for number in range(MAX_ATTEMPTS)] == [401] * MAX_ATTEMPTS
    assert guess(TOKEN) == 429
    assert int(asked.get("/", headers=bearer(TOKEN)).headers["retry-after"]) > 0


def test_attempts_are_counted_by_client_and_forgotten_after_a_minute() -> None:
    now = [0.0]
    attempts = Attempts(clock=lambda: now[0])
    for number in range(MAX_ATTEMPTS):
        now[0] = float(number)
        attempts.failed(f"2001:db8::{number:x}")  # the addresses of one network
    assert attempts.seconds_to_wait("2001:db8::ffff") == PERIOD_SECONDS - 9
    assert attempts.seconds_to_wait("2001:db8:1::1") == attempts.seconds_to_wait("192.168.1.7") == 0
    now[0] = PERIOD_SECONDS + 1
    assert attempts.seconds_to_wait("2001:db8::1") == 0


def test_logging_out_takes_the_cookie_from_the_browser(tmp_path: Path) -> None:
    asked = pages(tmp_path)
    asked.post("/", data={"token": TOKEN}, headers=OWN)
    assert asked.get("/knowledge").status_code == 200
    left = asked.get(LOGOUT, headers=BROWSER, follow_redirects=False)
    assert (left.status_code, left.headers["location"]) == (303, "/") and COOKIE not in asked.cookies
    assert asked.get("/knowledge", headers=BROWSER).status_code == 401
    foreign = {**BROWSER, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert asked.get(LOGOUT, headers=foreign).status_code == 403  # no other site logs a person out
    assert server(tmp_path).get(LOGOUT).status_code == 401
