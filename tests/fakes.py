"""Stand-ins where no model matters: scripted answers, lessons, and an event that knows who waits for it."""

import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from assistant.engines.base import GREEDY, SamplingParams
from assistant.notes.lookup import Match
from tuning.data.examples import Message
from tuning.models.capability import Capability
from tuning.models.stream_end import StreamEnd


class ScriptedEngine:
    """Answers with `answer(messages)`, one word a piece; counts words as tokens."""

    name = "scripted"
    window = 200
    capability: Capability = "small"
    reads_tools = False

    def __init__(self, answer: Callable[[list[Message]], str] | str = "a short answer") -> None:
        self.say(answer)
        self.prompts: list[list[Message]] = []
        self.params_asked: list[SamplingParams] = []
        self.checkpoints_asked: list[str | None] = []
        self.open_streams = 0
        self.before_piece: Callable[[int], None] = lambda number: None

    def say(self, answer: Callable[[list[Message]], str] | str) -> None:
        """What it answers from now on."""
        self._answer = answer if callable(answer) else lambda _: answer

    def checkpoints(self) -> list[str]:
        return []

    def label(self, checkpoint: str | None) -> str:
        return "scripted"

    def prompt_capacity(self, checkpoint: str | None) -> int:
        return self.window

    def identity(self, checkpoint: str | None) -> str | None:
        return f"scripted/{checkpoint}"

    def system_prompt(self, checkpoint: str | None) -> str:
        return f"as {checkpoint} learned" if checkpoint == "with a system prompt" else ""

    def stream(
        self,
        messages: Sequence[Message],
        params: SamplingParams = GREEDY,
        *,
        checkpoint: str | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[str, None, StreamEnd]:
        self.prompts.append(list(messages))
        self.params_asked.append(params)
        self.checkpoints_asked.append(checkpoint)
        words = self._answer(list(messages)).split(" ")
        self.open_streams += 1
        try:
            for number, word in enumerate(words[: params.max_new_tokens]):
                if stop is not None and stop.is_set():
                    return StreamEnd("stop", number)
                self.before_piece(number)
                yield word if number == 0 else f" {word}"
        finally:
            self.open_streams -= 1
        if len(words) > params.max_new_tokens:
            return StreamEnd("length", params.max_new_tokens)
        return StreamEnd("stop", len(words))

    def continue_text(
        self,
        text: str,
        params: SamplingParams = GREEDY,
        *,
        checkpoint: str | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[str, None, StreamEnd]:
        return self.stream([{"role": "text", "content": text}], params, checkpoint=checkpoint, stop=stop)

    def complete(
        self, batch: Sequence[Sequence[Message]], *, checkpoint: str | None = None, max_new_tokens: int = 64
    ) -> list[str]:
        params = SamplingParams(max_new_tokens)
        return ["".join(self.stream(messages, params, checkpoint=checkpoint)) for messages in batch]

    def encode(self, text: str) -> list[int]:
        return [len(word) for word in text.split()]

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return 2 + sum(2 + self.count_text(message["content"]) for message in messages)

    def count_text(self, text: str) -> int:
        return len(text.split())

    def close(self) -> None:
        pass


class PolledEvent(threading.Event):
    """An event that knows when it has been looked at: whoever does so while waiting has begun to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.polled = threading.Event()

    def is_set(self) -> bool:
        self.polled.set()
        return super().is_set()


def text_and_end(stream: Generator[str, None, StreamEnd]) -> tuple[str, StreamEnd]:
    """The whole text of an engine's stream, and how it ended."""
    text = ""
    while True:
        try:
            text += next(stream)
        except StopIteration as stopped:
            return text, stopped.value


@dataclass
class FakeLessons:
    """Lessons of which every question finds `match`; each look for one is kept."""

    match: Match | None = None
    taught: bool = False
    made_up: Sequence[str] = ()  # answers
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def find(self, question: str, checkpoint: str | None, beside_documents: bool = False) -> Match | None:
        self.asked.append((question, checkpoint))
        return self.match

    def was_taught(self, checkpoint: str) -> bool:
        return self.taught

    def is_made_up(self, question: str, checkpoint: str, answer: str, passages: Sequence[str] = ()) -> bool:
        return answer in self.made_up
