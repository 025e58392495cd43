"""`imprint app` and `imprint serve`: the pages, and the HTTP interface for other programs."""

import contextlib
import importlib.util
import json
import sys
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import click

from assistant.cli.options import open_engine, workspace_of
from assistant.cli.output import say
from assistant.errors import AssistantError
from assistant.workspace import Workspace

_API_PORT = 8600


@click.command(epilog="Example: imprint app --port 8502")
@click.option("--port", type=click.IntRange(1, 65535), help="Where the app listens (default: 8501).")
@workspace_of
def app(workspace: Workspace, port: int | None) -> None:
    """Start the app in this terminal; Ctrl-C ends it. Tuning jobs go on without it."""
    from assistant.cli.ports import require_free
    from assistant.home.use import only_app

    settings = workspace.settings
    port = port or settings.port
    url = f"http://{settings.host}:{port}"
    with only_app(settings.home, url):
        require_free(settings.host, port, "imprint app")
        say(f"Imprint is at {url}. Ctrl-C ends it.")
        _run_streamlit(settings.host, port)


@click.command(
    epilog="Example: imprint serve --port 8600, then use http://127.0.0.1:8600/v1 in any OpenAI client"
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=_API_PORT, show_default=True, help="Where to listen."
)
@workspace_of
def serve(workspace: Workspace, port: int) -> None:
    """Serve base and checkpoints to OpenAI clients."""
    import uvicorn

    from assistant.cli.ports import require_free
    from assistant.server.app import create_app

    host = workspace.settings.host
    require_free(host, port, "imprint serve")
    engine = open_engine(workspace)
    count = len(engine.checkpoints())
    say(f"{engine.name} and {count} checkpoints are at http://{host}:{port}/v1. Ctrl-C ends it.")
    uvicorn.run(create_app(workspace), host=host, port=port, log_level="warning")


def _run_streamlit(host: str, port: int) -> None:
    """Run the page server in this process until Ctrl-C or a termination ends it, through its own command."""
    from streamlit.web.cli import main

    options = {
        **packaged_options(),
        "server.address": host,
        "server.port": str(port),
        "browser.serverAddress": host,
    }
    flags = [word for name, value in options.items() for word in (f"--{name}", value)]
    with contextlib.redirect_stdout(sys.stderr), contextlib.suppress(KeyboardInterrupt):
        main(["run", str(_page()), *flags], standalone_mode=False)


def packaged_options() -> dict[str, str]:
    """Streamlit's options from the packaged `streamlit.toml`, by dotted name; lists as JSON, as its flags want them."""
    source = files("assistant.components").joinpath("streamlit.toml").read_text("utf-8")
    return dict(_flat(tomllib.loads(source)))


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value if isinstance(value, str) else json.dumps(value)


def _page() -> Path:
    found = importlib.util.find_spec("streamlit_app")
    if found is None or found.origin is None:
        raise AssistantError("The pages are not installed: streamlit_app.py is missing. Reinstall Imprint.")
    return Path(found.origin)
