"""One question to Imprint's own chat, as the page and `imprint ask` ask it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistant.errors import AssistantError

if TYPE_CHECKING:
    from assistant.history.sources import Source
    from assistant.workspace import Workspace


@dataclass(frozen=True)
class Answer:
    """What was answered, and the documents behind it."""

    text: str
    sources: tuple[str, ...]  # the documents that were read, with the page
    prompt_tokens: int
    completion_tokens: int
    seconds: float

    def __str__(self) -> str:
        return self.text


def answer(
    workspace: "Workspace",
    question: str,
    checkpoint: str | None,
    knowledge_base: str | None,
    options: dict[str, Any],
) -> Answer:
    """The answer from the weights, from documents where a knowledge base is named, or from both.

    Raises AssistantError, KnowledgeError.
    """
    from assistant.chat.turn import MEMORY_OF, AnswerOptions, Done  # heavy: LangChain

    settings = workspace.settings
    usual = {"passages": settings.passages, "max_new_tokens": settings.max_new_tokens}
    asked = AnswerOptions(
        memory=MEMORY_OF[knowledge_base is not None, checkpoint is not None],
        checkpoint=checkpoint,
        knowledge_base=knowledge_base or settings.knowledge_base,
        **{**usual, **options},
    )
    ended = [event for event in workspace.chat.ask(question, asked) if isinstance(event, Done)]
    if not ended:
        raise AssistantError(f"The answer to {question!r} has no end. Ask again.")
    done = ended[-1]
    named = tuple(map(_named, done.sources))
    return Answer(done.answer, named, done.prompt_tokens, done.completion_tokens, done.seconds)


def _named(source: "Source") -> str:
    return f"{source.name}, page {source.page}" if source.page else source.name
