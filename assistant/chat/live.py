"""Answers that are written in the background, whatever happens to the page that asked for them.

What is kept is `Chat`'s work; this module keeps nothing and draws nothing.
"""

import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass

from assistant.background import BackgroundTask, TaskRegistry
from assistant.chat.context_window import Budget
from assistant.chat.turn import Budgeted, ChatEvent, Done, Retrieved, Token, TurnStarted
from assistant.history.sources import Source

# Starts the turn: given the event that stops it, gives its events.
Turn = Callable[[threading.Event], Iterator[ChatEvent]]


@dataclass
class LiveAnswer(BackgroundTask):
    """An answer so far."""

    question: str
    # The message whose place it takes, while the store does not know of it yet.
    replaces: int | None = None
    # preparing, reading, writing, ended
    phase: str = "preparing"
    text: str = ""
    asked: TurnStarted | None = None
    passages: tuple[Source, ...] = ()
    budget: Budget | None = None
    done: Done | None = None

    def follow(self, turn: Turn) -> None:
        """Take in the events of a turn until it ends."""
        try:
            for event in turn(self.stop_event):
                self._take(event)
        finally:
            self.phase = "ended"

    def _take(self, event: ChatEvent) -> None:
        match event:
            case TurnStarted():
                self.asked, self.phase = event, "reading"
            case Retrieved():
                self.passages = event.passages
            case Budgeted():
                self.budget, self.phase = event.budget, "reading"
            case Token():
                self.text, self.phase = self.text + event.text, "writing"
            case Done():
                self.done, self.passages = event, event.sources


class LiveAnswers:
    """The newest answer of every conversation, or of any other key."""

    def __init__(self) -> None:
        self._newest: TaskRegistry[LiveAnswer] = TaskRegistry(
            "An answer is still being written here. Stop it, or wait until it ends, and ask again."
        )

    def start(self, key: Hashable, question: str, turn: Turn, *, replaces: int | None = None) -> LiveAnswer:
        """Begin to answer. Raises AssistantError while `key` has an unfinished answer."""
        answer = LiveAnswer(question, replaces)
        return self._newest.start(key, answer, lambda: answer.follow(turn))

    def get(self, key: Hashable) -> LiveAnswer | None:
        """The newest answer of `key`, finished or not."""
        return self._newest.get(key)

    def is_waiting(self, answer: LiveAnswer) -> bool:
        """Whether this answer waits for another one: they share the model."""
        writing = any(other.phase == "writing" for other in self._newest.running())
        return answer.running and answer.phase == "reading" and writing
