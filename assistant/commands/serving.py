"""`imprint app` and `imprint serve`: the pages, and the HTTP interface for other programs."""

import importlib.util
import signal
import subprocess
import sys
from pathlib import Path

import click

from assistant.commands.options import open_engine, workspace_of
from assistant.commands.output import say
from assistant.errors import AssistantError
from assistant.workspace import Workspace

_API_PORT = 8600
_STOP_SECONDS = 10


@click.command(epilog="Example: imprint app --port 8502")
@click.option("--port", type=click.IntRange(1, 65535), help="Where the app listens (default: 8501).")
@workspace_of
def app(workspace: Workspace, port: int | None) -> None:
    """Start the app in this terminal; Ctrl-C ends it. Tuning jobs go on without it."""
    from assistant.ports import only_app, require_free

    settings = workspace.settings
    port = port or settings.port
    url = f"http://{settings.host}:{port}"
    with only_app(settings.home, url):
        require_free(settings.host, port, "imprint app")
        status = _run_streamlit(settings.host, port, url)
    if status:
        raise AssistantError(f"The app ended with status {status}; its messages above say why.")


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

    from assistant.ports import require_free
    from assistant.server import create_app

    host = workspace.settings.host
    require_free(host, port, "imprint serve")
    engine = open_engine(workspace)
    count = len(engine.checkpoints())
    say(f"{engine.name} and {count} checkpoints are at http://{host}:{port}/v1. Ctrl-C ends it.")
    uvicorn.run(create_app(workspace), host=host, port=port, log_level="warning")


def _run_streamlit(host: str, port: int, url: str) -> int:
    """Run the page server until it ends or is told to; both signals reach it."""
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(_page())),
        *("--server.address", host, "--server.port", str(port), "--server.headless", "true"),
        *("--browser.gatherUsageStats", "false", "--browser.serverAddress", host),
    ]
    say(f"Imprint is at {url}. Ctrl-C ends it.")
    process = subprocess.Popen(command, stdout=sys.stderr)
    signal.signal(signal.SIGTERM, lambda number, frame: process.terminate())
    try:
        return max(0, process.wait())
    except KeyboardInterrupt:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        return 0


def _page() -> Path:
    found = importlib.util.find_spec("streamlit_app")
    if found is None or found.origin is None:
        raise AssistantError("The pages are not installed: streamlit_app.py is missing. Reinstall Imprint.")
    return Path(found.origin)
