"""`Imprint`: one home, with everything that is kept in it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imprint import comparison, learning, opened
from imprint.answer import Answer, answer
from imprint.knowledge_base import KnowledgeBase
from imprint.tuning_job import TuningJob

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from assistant.compare.results import EvaluationResult
    from imprint.chat_model import ChatImprint
    from imprint.conversation import Conversation
    from imprint.learning import Teachable
    from tuning.checkpoints.manifest import Checkpoint


class Imprint:
    """A home: the folder given, or IMPRINT_HOME, or the platform's folder for user data.

    Several objects of one home share what is open. Raises AssistantError where the home cannot be used.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = opened.folder_of(path)
        self._workspace = opened.workspace_of(self.path)

    def __repr__(self) -> str:
        return f"<Imprint {self.path}>"

    def __enter__(self) -> "Imprint":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the model and the indexes of this home, for all objects of this process that share them."""
        opened.close(self.path)

    # Answers

    def chat_model(self, model: str | None = None, **options: Any) -> "ChatImprint":
        """A LangChain chat model of this home; see `ChatImprint` for the options."""
        from imprint.chat_model import ChatImprint  # heavy: LangChain

        return ChatImprint(model=model, home=self.path, **options)

    def ask(
        self,
        question: str,
        *,
        checkpoint: str | None = None,
        knowledge_base: str | None = None,
        **options: Any,
    ) -> Answer:
        """One question to Imprint's own chat, with its prompts: from the weights, from documents, or from both.

        `options` are those of an answer, such as `max_new_tokens` or `system_prompt`. Raises AssistantError.
        """
        return answer(self._workspace, question, checkpoint, knowledge_base, options)

    def conversation(self, id: int | str | None = None) -> "Conversation":
        """A conversation as LangChain's chat history: by its number, by a session's name, or a new one."""
        from imprint.conversation import Conversation  # heavy: LangChain

        return Conversation.open(self._workspace.store, id)

    # Knowledge

    def knowledge_base(self, name: str | None = None) -> KnowledgeBase:
        """A knowledge base by its name (default: the one of the settings); made when something is added."""
        return KnowledgeBase(self._workspace, name or self._workspace.settings.knowledge_base)

    def knowledge_bases(self) -> list[str]:
        """The names of the knowledge bases."""
        return self._workspace.knowledge_bases()

    # Checkpoints

    def tune(
        self,
        examples: "Teachable | None" = None,
        *,
        conversations: Sequence[int] = (),
        labeller: "BaseChatModel | None" = None,
        preferences: str | Path | None = None,
        method: str = "lora",
        name: str | None = None,
        parent: str | None = None,
        base: str | None = None,
        **options: Any,
    ) -> TuningJob:
        """Start a tuning job, in a process of its own.

        `examples` are files of any format that Imprint imports, or questions with their answers: pairs, objects with
        "messages", `Example`. `labeller` is a chat model that writes examples from messages of `conversations` in
        which no rule finds a fact; kept is what it answers alike when asked again. `preferences` is a file of votes or
        thumbs, for a `method` of preferences: dpo, kto, orpo, reward, ppo, grpo. `options` are the fields of a tuning
        configuration: `strength`, `epochs`, `rank`, `learning_rate`, `seed` and more. The method "openai" sends the
        examples to the service that `send_to` names, an address ending in /v1, and to no other; `base` is its name of
        the model. Raises TuningError, AssistantError.
        """
        config = learning.config_of(self._workspace, method, name, parent, base, options)
        if preferences is not None:
            if examples or conversations:
                raise TypeError(
                    "A job learns from examples or from preferences. Give one of them, then the other."
                )
            job = self._workspace.jobs.submit(config, learning.preferences_of(preferences))
        else:
            learned = learning.examples_of(self._workspace, examples, conversations, parent, labeller)
            job = self._workspace.jobs.submit(config, learned)
        return TuningJob(self._workspace.jobs, job.id)

    def job(self, id: str) -> TuningJob:
        """A job by its id or the beginning of it. Raises TuningError."""
        return TuningJob(self._workspace.jobs, self._workspace.jobs.get(id).id)

    def jobs(self) -> list[TuningJob]:
        """All jobs, the newest first."""
        return [TuningJob(self._workspace.jobs, job.id) for job in self._workspace.jobs.list()]

    def checkpoints(self) -> "list[Checkpoint]":
        """All checkpoints that can be read, the oldest first."""
        return self._workspace.registry.list()

    def checkpoint(self, name: str) -> "Checkpoint":
        """A checkpoint by its name. Raises TuningError saying which there are."""
        return self._workspace.registry.get(name)

    def compare(
        self,
        questions: "str | Path | Sequence[Mapping[str, Any]]",
        arms: str | Sequence[str] = ("base", "rag"),
        *,
        knowledge_base: str | None = None,
        passages: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> "EvaluationResult":
        """Let several arms answer the same questions; the result has each one's figures and tests of each pair.

        `questions` are a file or objects with "question" and "answers"; an arm is base, rag, a checkpoint's name, or
        NAME+rag. `progress(done, total)` follows the answers. Raises AssistantError.
        """
        return comparison.compare(self._workspace, questions, arms, knowledge_base, passages, progress)

    def export(self, checkpoint: str, format: str, output: str | Path) -> list[Path]:
        """Write a checkpoint for other programs into a new folder; the files in it. Raises TuningError."""
        from tuning.checkpoints.export import export  # heavy: torch

        return export(self._workspace.registry.get(checkpoint), format, Path(output), self.path)
