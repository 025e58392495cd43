"""A knowledge base and the chat as tools for programs that speak the Model Context Protocol (Claude, editors, agents).

The protocol is the official library's. Nothing is stored, and nothing can be changed through these tools.
"""

from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

from assistant.chat.turn import MEMORY_OF, AnswerOptions, Done
from assistant.errors import KNOWN_ERRORS, sentence_of
from assistant.workspace import Workspace

_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_MOST_PASSAGES = 20


def mcp_server(workspace: Workspace, knowledge_base: str | None, checkpoint: str | None) -> MCPServer[Any]:
    """A server with `search` and `ask`; model and knowledge base are opened by the first call that needs them."""
    server: MCPServer[Any] = MCPServer("imprint", log_level="WARNING")

    @server.tool(title="Search the documents", annotations=_READS)
    def search(question: str, passages: int = 4) -> list[dict[str, Any]]:
        """Find the passages of the person's own documents that fit a question best, with their sources."""
        with _Told():
            count = max(1, min(passages, _MOST_PASSAGES))
            hits = workspace.existing_knowledge(knowledge_base).search(question, count)
        return [
            {
                "text": hit.passage.text,
                "source": hit.passage.source,
                "page": hit.passage.page,
                "score": hit.score,
            }
            for hit in hits
        ]

    @server.tool(title="Ask Imprint", annotations=_READS)
    def ask(question: str, from_documents: bool = True) -> dict[str, Any]:
        """Let the person's own model answer, from their documents and from what it was tuned on."""
        with _Told():
            done = _answer(
                workspace, question, _options(workspace, knowledge_base, checkpoint, from_documents)
            )
        return {"answer": done.answer, "sources": [source.to_dict() for source in done.sources]}

    return server


class _Told:
    """Inside, a known error becomes one that the client's model reads."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KNOWN_ERRORS):
            raise ToolError(sentence_of(error)) from error


def _options(
    workspace: Workspace, knowledge_base: str | None, checkpoint: str | None, from_documents: bool
) -> AnswerOptions:
    settings = workspace.settings
    return AnswerOptions(
        memory=MEMORY_OF[from_documents, checkpoint is not None],
        checkpoint=checkpoint,
        knowledge_base=knowledge_base or settings.knowledge_base,
        passages=settings.passages,
        max_new_tokens=settings.max_new_tokens,
    )


def _answer(workspace: Workspace, question: str, options: AnswerOptions) -> Done:
    (done,) = (event for event in workspace.chat.ask(question, options) if isinstance(event, Done))
    return done
