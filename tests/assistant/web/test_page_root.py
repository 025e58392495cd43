"""The frame of a page says where the app is; nothing else that is served changes."""

from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from assistant.web.page_root import ROOT_SCRIPT, PageRoot

FRAME = "<html><head><title>Imprint</title></head><body>" + "x" * 2000 + "</body></html>"


async def frame(request: object) -> HTMLResponse:
    return HTMLResponse(FRAME)


async def health(request: object) -> PlainTextResponse:
    return PlainTextResponse("<head>ok")


def client() -> TestClient:
    routes = [
        Route("/", frame),
        Route("/knowledge", frame),
        Route("/x.html", frame),
        Route("/_stcore/health", health),
    ]
    app = Starlette(routes=routes)
    app.add_middleware(GZipMiddleware)
    return TestClient(PageRoot(app))


def test_a_page_says_where_the_app_is_and_how_long_it_is() -> None:
    for path in ("/", "/knowledge"):
        answer = client().get(path)
        assert answer.text == FRAME.replace("<head>", f"<head><script>{ROOT_SCRIPT}</script>")
        assert int(answer.headers["content-length"]) == len(answer.content)


def test_files_and_other_answers_stay_as_they_are() -> None:
    assert client().get("/x.html").text == FRAME
    assert client().get("/_stcore/health").text == "<head>ok"
