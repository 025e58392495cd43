"""What a turn is made of: the options of an answer, the events of a turn, the state of its chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from langchain_core.messages import AIMessage

from assistant.chat.attachments import Attachment
from assistant.chat.context_window import Budget
from assistant.chat.presets import Order
from assistant.engines.base import SamplingParams
from assistant.errors import AssistantError
from assistant.history.sources import Source
from assistant.settings import MEMORIES, Memory
from tuning.data.examples import Example, Message

# (reads documents, has a checkpoint) -> the memory of that name
MEMORY_OF: dict[tuple[bool, bool], Memory] = {
    (False, False): "nothing",
    (True, False): "documents",
    (False, True): "checkpoint",
    (True, True): "both",
}


@dataclass(frozen=True)
class AnswerOptions:
    """How a question is answered: memory, prompt and sampling."""

    memory: Memory = "nothing"
    # The checkpoint of "checkpoint" and "both".
    checkpoint: str | None = None
    knowledge_base: str = "default"
    # Document ids to look in; None looks in all.
    documents: tuple[str, ...] | None = None
    passages: int = 4
    # Whether the nearest passages are read even where the search holds none to be about the question, and a checkpoint
    # says what no lesson holds.
    anyway: bool = False
    # Passages that a person gives by hand; then nothing is retrieved.
    given: tuple[str, ...] = ()
    # Files that go with the question; then nothing is retrieved either.
    attached: tuple[Attachment, ...] = ()
    # Whether a note that the question asks for is quoted, whatever the memory.
    notes: bool = False
    # Whether documents are quoted where the model hardly knows the language of the question.
    quotes: bool = False
    # Empty takes the one that the checkpoint was tuned with, or without a checkpoint the default.
    system_prompt: str = ""
    few_shot: tuple[Message, ...] = ()
    # What is said between passages and question; None leaves it to what the model can do.
    order: Order | None = None
    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None

    def __post_init__(self) -> None:
        _ = self.sampling  # for its checks
        if self.memory not in MEMORIES:
            raise AssistantError(f"Memory {self.memory!r} is not known; choose one of {', '.join(MEMORIES)}.")
        if self.uses_checkpoint and not self.checkpoint:
            raise AssistantError(
                f"Memory {self.memory!r} answers from a checkpoint, and none is chosen. "
                "Choose one, or fine-tune on a chat to make the first."
            )

    @property
    def sampling(self) -> SamplingParams:
        """How the tokens of the answer are chosen."""
        return SamplingParams(self.max_new_tokens, self.temperature, self.top_p, self.seed)

    @property
    def uses_documents(self) -> bool:
        """Whether passages are retrieved."""
        return self.memory in ("documents", "both")

    @property
    def reads_passages(self) -> bool:
        """Whether the prompt holds passages, retrieved, given by hand or attached."""
        return self.uses_documents or bool(self.given) or bool(self.attached)

    @property
    def uses_checkpoint(self) -> bool:
        """Whether a checkpoint answers."""
        return self.memory in ("checkpoint", "both")


@dataclass(frozen=True)
class TurnStarted:
    """The question and its empty answer are stored; nothing was opened or searched yet."""

    conversation_id: int
    question_id: int
    answer_id: int


@dataclass(frozen=True)
class Retrieved:
    """The passages that were retrieved for the question, best first."""

    passages: tuple[Source, ...]
    seconds: float
    # Only documents were to answer, and neither they nor the conversation hold anything relevant: the answer
    # is a sentence that says so.
    nothing_found: bool = False
    # What was searched for, where it is not the question itself.
    searched: str = ""


@dataclass(frozen=True)
class Budgeted:
    """What is sent, how it fills the window, and what fell out of it."""

    budget: Budget


@dataclass(frozen=True)
class Token:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True)
class Thought:
    """What the model has thought so far, before its answer; `Token`s that came before it were part of it."""

    text: str


@dataclass(frozen=True)
class Done:
    """The whole answer and what it took."""

    answer: str
    sources: tuple[Source, ...]
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    seconds_to_first_token: float
    stopped: bool = False
    answer_id: int | None = None
    # "length" where it was cut at its limit, "repeated" where it was stopped since it repeated itself, "verbatim"
    # where it is a sentence of the documents and no model was asked, "quoted" where a small one was and says less
    # surely what stands there, else "".
    ending: str = ""
    thoughts: str = ""
    # What computed it, such as "llama.cpp · 4 bit".
    engine: str = ""


ChatEvent = TurnStarted | Retrieved | Budgeted | Thought | Token | Done


class TurnState(TypedDict, total=False):
    """What flows through the chain of a turn: the first two are its input, the steps add the others."""

    question: str
    history: Sequence[Message]
    passages: tuple[Source, ...]
    # What was found, where none of it answers the question: it is not read.
    rejected: tuple[Source, ...]
    searched: str
    nothing_found: bool
    # What a note says to the question: it is quoted, and no model is asked; "" where none does.
    noted: str
    # The model's answer, where it was asked for before the others are shown: what it was taught is asked for.
    answered: AIMessage
    # Whether neither passages nor what the checkpoint was taught hold an answer: it is said so.
    unknown: bool
    # Whether that answer is the base's, from passages that the checkpoint did not read.
    read_by_base: bool
    # What the checkpoint was taught and holds, where the question asks for it.
    held: Example | None
    # Whether a lesson of the checkpoint is what the question asks for.
    is_taught: bool
    # The sentence of the passages that is quoted in place of an answer of the model; "" where the model answers.
    verbatim: str
    # Whether the model read the passages all the same, and did not refuse rightly.
    is_read: bool
    # The documents' language, where the question is in one that neither they nor the embedding model know; else "".
    foreign: str
    began: float  # on the monotonic clock
    retrieval_seconds: float
    budget: Budget
    # The passages as the model reads them: those that fit, each with the text that is quoted of it.
    sent: tuple[Source, ...]
