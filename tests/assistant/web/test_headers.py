"""Every answer, refusals included, says what it may load and that nobody may frame it."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assistant.web.headers import content_security_policy, hashes_of_inline_scripts
from tests.assistant.web.servers import guarded


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "evil.example", 'a"; script-src *'])
def test_every_answer_has_the_headers(tmp_path: Path, host: str) -> None:
    headers = TestClient(guarded(tmp_path)).get("/", headers={"host": host}).headers
    assert headers["x-frame-options"] == "DENY" and headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    for directive in (
        "img-src 'self' data:",
        "frame-ancestors 'none'",
        "form-action 'self'",
        "object-src 'none'",
    ):
        assert directive in policy.split("; ")
    assert "*" not in policy


def test_a_page_may_open_its_own_websocket_and_run_its_own_scripts() -> None:
    page = "<script>first()</script><script src='x'></script><script>\nsecond()\n</script>"
    hashes = hashes_of_inline_scripts(page)
    assert len(hashes) == 2 and all(source.startswith("'sha256-") for source in hashes)
    policy = content_security_policy("localhost:8501", hashes).split("; ")
    assert f"script-src 'self' {hashes[0]} {hashes[1]}" in policy
    assert "connect-src 'self' ws://localhost:8501 wss://localhost:8501" in policy
