"""An engine that says what it is told: for the order of events and what is kept, where no model matters."""

import threading
from collections.abc import Callable, Iterator, Sequence

from tuning.data.examples import Message


class ScriptedEngine:
    """Answers with `answer(messages)`, one word a piece; counts words as tokens."""

    name = "scripted"
    window = 200

    def __init__(self, answer: Callable[[list[Message]], str] | str = "a short answer") -> None:
        self._answer = answer if callable(answer) else lambda _: answer
        self.prompts: list[list[Message]] = []
        self.checkpoints_asked: list[str | None] = []
        self.before_piece: Callable[[int], None] = lambda number: None

    def checkpoints(self) -> list[str]:
        return []

    def prompt_capacity(self, checkpoint: str | None) -> int:
        return self.window

    def identity(self, checkpoint: str | None) -> str | None:
        return f"scripted/{checkpoint}"

    def system_prompt(self, checkpoint: str | None) -> str:
        return f"as {checkpoint} learned" if checkpoint == "with a system prompt" else ""

    def stream(
        self,
        messages: Sequence[Message],
        *,
        checkpoint: str | None = None,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[str]:
        self.prompts.append(list(messages))
        self.checkpoints_asked.append(checkpoint)
        words = self._answer(list(messages)).split(" ")[:max_new_tokens]
        for number, word in enumerate(words):
            if stop is not None and stop.is_set():
                return
            self.before_piece(number)
            yield word if number == 0 else f" {word}"

    def complete(
        self, batch: Sequence[Sequence[Message]], *, checkpoint: str | None = None, max_new_tokens: int = 64
    ) -> list[str]:
        return [
            "".join(self.stream(messages, checkpoint=checkpoint, max_new_tokens=max_new_tokens))
            for messages in batch
        ]

    def encode(self, text: str) -> list[int]:
        return [len(word) for word in text.split()]

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return 2 + sum(2 + self.count_text(message["content"]) for message in messages)

    def count_text(self, text: str) -> int:
        return len(text.split())

    def close(self) -> None:
        pass
