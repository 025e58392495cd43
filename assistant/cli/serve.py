"""`imprint app` and `imprint serve`: the pages, and the HTTP interface for other programs."""

import contextlib
import importlib.util
import sys
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.options import open_engine, workspace_of
from assistant.cli.output import say
from assistant.errors import AssistantError
from assistant.workspace import Workspace

if TYPE_CHECKING:
    from assistant.settings import Settings

_API_PORT = 8600


@click.command(epilog="Example: imprint app --port 8502")
@click.option("--port", type=click.IntRange(1, 65535), help="Where the app listens (default: 8501).")
@workspace_of
def app(workspace: Workspace, port: int | None) -> None:
    """Start the app in this terminal; Ctrl-C ends it. Tuning jobs go on without it."""
    from assistant.cli.ports import require_free
    from assistant.home.use import only_app
    from assistant.web.hosts import url_of
    from assistant.web.listening import require_token_beyond_loopback

    settings = workspace.settings
    port = port or settings.port
    url = url_of(settings.host, port)
    require_token_beyond_loopback(settings)
    with only_app(settings.home, url):
        require_free(settings.host, port, "imprint app")
        say(f"Imprint is at {url}. Ctrl-C ends it.")
        _run_streamlit(settings, port)


@click.command(
    epilog="Example: imprint serve --port 8600, then use http://127.0.0.1:8600/v1 in any OpenAI client"
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=_API_PORT, show_default=True, help="Where to listen."
)
@workspace_of
def serve(workspace: Workspace, port: int) -> None:
    """Serve base and checkpoints to OpenAI clients."""
    from assistant.cli.ports import require_free
    from assistant.server.app import create_app
    from assistant.web.hosts import url_of
    from assistant.web.listening import listen, protected, require_token_beyond_loopback

    settings = workspace.settings
    require_token_beyond_loopback(settings)
    require_free(settings.host, port, "imprint serve")
    engine = open_engine(workspace)
    count = len(engine.checkpoints())
    say(f"{engine.name} and {count} checkpoints are at {url_of(settings.host, port)}/v1. Ctrl-C ends it.")
    server = protected(create_app(workspace), settings, upload_paths=("/v1/files",), api=True)
    listen(server, settings.host, port, settings.home)


def _run_streamlit(settings: "Settings", port: int) -> None:
    """Run Streamlit in this process until Ctrl-C or SIGTERM."""
    from streamlit import config
    from streamlit.file_util import get_static_dir
    from streamlit.starlette import App

    from assistant.web.headers import hash_of_script, hashes_of_inline_scripts
    from assistant.web.listening import listen, protected
    from assistant.web.page_root import ROOT_SCRIPT, PageRoot

    pages = App(_page())
    config.get_config_options(force_reparse=True, options_from_flags=streamlit_options(settings, port))
    scripts = hashes_of_inline_scripts(Path(get_static_dir(), "index.html").read_text("utf-8"))
    own = files("assistant.components").joinpath("page.js").read_text("utf-8")
    scripts += [hash_of_script(own), hash_of_script(ROOT_SCRIPT)]
    uploads = ("/_stcore/upload_file/",)
    app = protected(PageRoot(pages), settings, upload_paths=uploads, api=False, scripts=scripts)
    with contextlib.redirect_stdout(sys.stderr):
        most_bytes = config.get_option("server.maxWidgetStateSize") * 10**6
        listen(app, settings.host, port, settings.home, ws_max_size=most_bytes)


def streamlit_options(settings: "Settings", port: int) -> dict[str, Any]:
    """Streamlit's options by dotted name: the packaged `streamlit.toml`, and what the settings decide."""
    source = files("assistant.components").joinpath("streamlit.toml").read_text("utf-8")
    return {
        **dict(_flat(tomllib.loads(source))),
        "server.address": settings.host,
        "server.port": port,
        "server.maxUploadSize": settings.max_upload_mb,
        "server.allowedHosts": [],  # the check in front decides, whatever a configuration file says
        # Without an address Streamlit asks a server on the internet for the one of this machine.
        "browser.serverAddress": settings.host,
    }


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _page() -> Path:
    found = importlib.util.find_spec("streamlit_app")
    if found is None or found.origin is None:
        raise AssistantError("The pages are not installed: streamlit_app.py is missing. Reinstall Imprint.")
    return Path(found.origin)
