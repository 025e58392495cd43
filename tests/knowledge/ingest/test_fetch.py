"""Addresses: only public ones, bounded in size and time, every redirect checked."""

import gzip
import http.server
import threading
import time
from collections.abc import Iterator

import pytest

from knowledge.errors import DocumentError
from knowledge.ingest.fetch import WebLimits, fetch, is_public, is_url, name_of, read_download

pytestmark = pytest.mark.slow

LOCAL = WebLimits(bytes=10_000, seconds=3.0, allow_private=True)
PAGE = "<html><head><title>灯笼</title></head><body><p>灯笼很重。</p></body></html>"


class Answers(http.server.BaseHTTPRequestHandler):
    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(f"{self.headers['Host']} {self.path}")
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
        elif self.path == "/gone":
            self.send_error(404)
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=gb18030")
            coding = {"/bomb": "gzip", "/gzip": "gzip", "/odd": "zstd"}
            if self.path in coding:
                self.send_header("Content-Encoding", coding[self.path])
            self.end_headers()
            self.body()

    def body(self) -> None:
        if self.path == "/endless":
            for _ in range(1000):
                self.wfile.write(b"x" * 1000)
        elif self.path == "/bomb":
            self.wfile.write(gzip.compress(bytes(30_000_000)))
        elif self.path == "/gzip":
            self.wfile.write(gzip.compress(PAGE.encode("gb18030")))
        elif self.path == "/slow":
            for _ in range(30):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)
        else:
            self.wfile.write(PAGE.encode("gb18030"))

    def log_message(self, *_: object) -> None: ...

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return  # the reader hung up, as it should


@pytest.fixture
def site() -> Iterator[str]:
    Answers.seen = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_page_is_read_in_the_servers_encoding(site: str) -> None:
    document = read_download(fetch(f"{site}/lamp", LOCAL))
    assert (document.title, document.text, document.source) == ("灯笼", "灯笼很重。", f"{site}/lamp")
    assert Answers.seen == [f"{site.removeprefix('http://')} /lamp"]


def test_a_packed_page_is_unpacked(site: str) -> None:
    assert read_download(fetch(f"{site}/gzip", LOCAL)).text == "灯笼很重。"


def test_redirects_are_followed_a_few_times(site: str) -> None:
    assert fetch(f"{site}/to/{site}/lamp", LOCAL).url == f"{site}/lamp"
    with pytest.raises(DocumentError, match="redirects more than 5 times"):
        fetch(f"{site}/to/" + f"{site}/to/" * 7, LOCAL)


def test_private_addresses_are_not_asked(site: str) -> None:
    with pytest.raises(DocumentError, match="is the private address"):
        fetch(f"{site}/lamp")
    assert Answers.seen == []


def test_a_redirect_to_a_private_address_is_not_followed(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.ingest.fetch.is_public", lambda address: address == "127.0.0.1")
    with pytest.raises(DocumentError, match=r"is the private address 10\.0\.0\.1"):
        fetch(f"{site}/to/http://10.0.0.1/", WebLimits())


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/endless", "larger than"),
        ("/slow", "more than 3 seconds"),
        ("/gone", "answered 404"),
        ("/bomb", "larger than"),
        ("/odd", "packs its answer as zstd"),
        ("/to/ftp://x/", "only http"),
        ("/to/data:text/plain,x", "redirects to what is no address"),
        ("/to///[", "redirects to what is no address"),
    ],
)
def test_limits_and_errors(site: str, path: str, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        fetch(f"{site}{path}", LOCAL)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://x.example/", "only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("http://", "only http and https"),
        ("http://user:word@example.com/", "user name or password"),
        ("http://[bad/", "its host is neither a name nor an address"),
        ("http://a\x00b/", "is not an address"),
    ],
)
def test_other_addresses_are_refused(url: str, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        fetch(url)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        *(
            (address, False)
            for address in ("127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "100.64.0.1")
        ),
        *(
            (address, False)
            for address in ("0.0.0.0", "224.0.0.1", "::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1")
        ),
        *((address, False) for address in ("64:ff9b::7f00:1", "2002:7f00:1::", "255.255.255.255", "::")),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("https://example.com/manuals/lamp%20one.html?x=1", "example.com / lamp one.html"),
        ("https://example.com/", "example.com"),
        ("/home/ann/lamp.pdf", "lamp.pdf"),
        ("", ""),
    ],
)
def test_a_source_has_a_short_name(source: str, name: str) -> None:
    assert name_of(source) == name


def test_what_is_an_address() -> None:
    assert is_url("https://example.com") and is_url("HTTP://x")
    assert not is_url("notes.txt") and not is_url("/http://x")
