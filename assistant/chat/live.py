"""Answers that are generated in the background, whatever happens to the page that asked for them.

`Chat` stores them; this module stores nothing and draws nothing.
"""

import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass

from assistant.background import BackgroundTask, TaskRegistry
from assistant.chat.context_window import Budget
from assistant.chat.turn import Budgeted, ChatEvent, Done, Retrieved, Thought, Token, TurnStarted
from assistant.history.sources import Source

# Starts a turn: takes the event that stops it, returns the events of the turn.
StartTurn = Callable[[threading.Event], Iterator[ChatEvent]]


@dataclass
class LiveAnswer(BackgroundTask):
    """An answer as far as it has been generated; its thread writes the fields, pages read them."""

    question: str
    # The message that it will replace on the page, before the store knows of it.
    replaces: int | None = None
    # preparing, reading, thinking, writing, ended
    phase: str = "preparing"
    text: str = ""
    thoughts: str = ""
    # What was searched for, where it is not the question itself.
    searched: str = ""
    asked: TurnStarted | None = None
    passages: tuple[Source, ...] = ()
    budget: Budget | None = None
    done: Done | None = None

    def consume(self, start_turn: StartTurn) -> None:
        """Run a turn to its end."""
        try:
            for event in start_turn(self.stop_event):
                self._apply(event)
        finally:
            self.phase = "ended"

    def _apply(self, event: ChatEvent) -> None:
        match event:
            case TurnStarted():
                self.asked = event
            case Retrieved():
                self.passages, self.searched, self.phase = event.passages, event.searched, "reading"
            case Budgeted():
                self.budget, self.phase = event.budget, "reading"
            case Thought():
                self.text, self.thoughts, self.phase = "", event.text, "thinking"
            case Token():
                self.text, self.phase = self.text + event.text, "writing"
            case Done():
                self.done, self.passages = event, event.sources
                self.text, self.thoughts = event.answer, event.thoughts


class LiveAnswers:
    """The newest answer of every conversation, or of any other key; old finished ones are evicted."""

    def __init__(self) -> None:
        self._newest: TaskRegistry[LiveAnswer] = TaskRegistry(
            "An answer is still being written here. Stop it, or wait until it ends, and ask again."
        )

    def start(
        self, key: Hashable, question: str, start_turn: StartTurn, *, replaces: int | None = None
    ) -> LiveAnswer:
        """Start a turn in a thread. Raises AssistantError while the answer of `key` is running."""
        answer = LiveAnswer(question, replaces)
        return self._newest.start(key, answer, lambda: answer.consume(start_turn))

    def get(self, key: Hashable) -> LiveAnswer | None:
        """The newest answer of `key`, running or finished; None where there is none or it was evicted."""
        return self._newest.get(key)

    def is_waiting(self, answer: LiveAnswer) -> bool:
        """Whether this answer waits until another one is finished: they share the model."""
        writing = any(other.phase in ("thinking", "writing") for other in self._newest.running())
        return answer.running and answer.phase == "reading" and writing
