"""`imprint mcp`: search and ask for programs that speak the Model Context Protocol."""

import importlib.util

import click

from assistant.cli.options import knowledge_base_option, workspace_of
from assistant.errors import AssistantError
from assistant.workspace import Workspace


@click.command(
    epilog="Example: imprint mcp --kb manuals, as the command of a server in your program's settings"
)
@knowledge_base_option
@click.option("--checkpoint", metavar="NAME", help="Answer with this fine-tuned checkpoint.")
@workspace_of
def mcp(workspace: Workspace, kb: str | None, checkpoint: str | None) -> None:
    """Offer search and ask as tools to other programs (MCP)."""
    if importlib.util.find_spec("mcp") is None:
        raise AssistantError("The package mcp is not installed: pip install 'imprint[mcp]'")
    from assistant.server.mcp_tools import mcp_server  # heavy: langchain

    if checkpoint is not None:
        workspace.registry.get(checkpoint)  # said at once, and not at the first question
    mcp_server(workspace, kb, checkpoint).run()
