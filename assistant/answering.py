"""Answers that are written in the background, whatever happens to the page that asked for them.

An answer belongs to a key (a conversation's id, or any other hashable) and to no browser tab: every tab may
look at it or stop it. What is kept is `Chat`'s work; this module keeps nothing and draws nothing.
"""

import logging
import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field

from assistant.chat import Asked, Budgeted, ChatEvent, Done, Retrieved, Source, Token
from assistant.errors import AssistantError
from assistant.memory import Budget
from knowledge.errors import KnowledgeError

log = logging.getLogger(__name__)

# Starts the turn: given the event that stops it, gives its events.
Turn = Callable[[threading.Event], Iterator[ChatEvent]]

PREPARING, READING, WRITING, ENDED = "preparing", "reading", "writing", "ended"


@dataclass
class Answer:
    """An answer so far. Its thread writes it, everybody may read it."""

    question: str
    # The message whose place it takes, while the store does not know of it yet.
    replaces: int | None = None
    phase: str = PREPARING
    text: str = ""
    asked: Asked | None = None
    passages: tuple[Source, ...] = ()
    budget: Budget | None = None
    done: Done | None = None
    # Why there is no (whole) answer, as a sentence for a person.
    error: str = ""
    _stop: threading.Event = field(default_factory=threading.Event, repr=False)
    _ended: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def running(self) -> bool:
        """Whether the answer is still being written."""
        return not self._ended.is_set()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End the answer early; what there is of it stays."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; whether it came within `seconds`."""
        return self._ended.wait(seconds)

    def _take(self, event: ChatEvent) -> None:
        match event:
            case Asked():
                self.asked, self.phase = event, READING
            case Retrieved():
                self.passages = event.passages
            case Budgeted():
                self.budget, self.phase = event.budget, READING
            case Token():
                self.text, self.phase = self.text + event.text, WRITING
            case Done():
                self.done, self.passages = event, event.sources

    def _run(self, turn: Turn) -> None:
        try:
            for event in turn(self._stop):
                self._take(event)
        except (AssistantError, KnowledgeError) as error:
            self.error = str(error)
        except Exception as error:  # the end of a thread: whatever it was must reach the page
            log.exception("an answer failed")
            self.error = f"The answer failed unexpectedly ({type(error).__name__}: {error}). The log has more."
        finally:
            self.phase = ENDED
            self._ended.set()


class Answering:
    """The newest answer of every key; one at a time for each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Answer] = {}

    def start(self, key: Hashable, question: str, turn: Turn, *, replaces: int | None = None) -> Answer:
        """Begin to answer in the background. Raises AssistantError while `key` has an unfinished answer."""
        with self._lock:
            before = self._answers.get(key)
            if before is not None and before.running:
                raise AssistantError(
                    "An answer is still being written here. Stop it, or wait until it ends, and ask again."
                )
            answer = self._answers[key] = Answer(question, replaces)
        threading.Thread(target=answer._run, args=(turn,), name=f"answer-{key}", daemon=True).start()
        return answer

    def get(self, key: Hashable) -> Answer | None:
        """The newest answer of `key`, finished or not."""
        return self._answers.get(key)

    def forget(self, key: Hashable) -> None:
        """Drop a finished answer, so that its error is not shown again."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is not None and not answer.running:
                del self._answers[key]
