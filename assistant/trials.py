"""Comparisons on the pages: one question side by side, and a file of questions, both in the background."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.answering import Answer, Answering
from assistant.arms import Arm, Question
from assistant.background import Newest, Work
from assistant.chat import Chat, How
from assistant.compare import MOST_SIDE_BY_SIDE, Comparison, compare
from assistant.conversations import ConversationStore
from assistant.engines import Engine
from assistant.errors import CompareError


@dataclass(frozen=True)
class SideBySide:
    """One question, and every arm's answer as it is written."""

    id: str
    question: str
    arms: tuple[Arm, ...]
    answers: tuple[Answer, ...]

    @property
    def running(self) -> bool:
        """Whether any arm is still being answered."""
        return any(answer.running for answer in self.answers)

    def stop(self) -> None:
        """Stop every arm."""
        for answer in self.answers:
            answer.stop()

    def vote(self, store: ConversationStore, best: int) -> None:
        """Keep that the answer at place `best` was preferred to each of the others."""
        prompt = [{"role": "user", "content": self.question}]
        for place, answer in enumerate(self.answers):
            if place != best and answer.text != self.answers[best].text:
                store.add_preference(
                    prompt,
                    self.answers[best].text,
                    answer.text,
                    chosen_arm=self.arms[best].name,
                    rejected_arm=self.arms[place].name,
                )


@dataclass
class Trial(Work):
    """Arms over a file of questions, as far as they are answered."""

    total: int
    done: int = 0
    arm: str = ""
    comparison: Comparison | None = None

    def answer(
        self, chat: Chat, engine: Engine, questions: Sequence[Question], arms: Sequence[Arm], common: How
    ) -> None:
        """Let every arm answer. Raises AssistantError, KnowledgeError."""
        self.comparison = compare(
            chat, engine, questions, arms, common, on_answered=self._on_answered, stop=self.stop_event
        )

    def _on_answered(self, arm: str, done: int, total: int) -> None:
        self.arm, self.done, self.total = arm, done, total


@dataclass
class Trials:
    """What is compared in this process."""

    answering: Answering
    _questions: dict[str, SideBySide] = field(default_factory=dict)
    _newest: Newest[Trial] = field(
        default_factory=lambda: Newest("A comparison is still running. Stop it, or wait until it ends.")
    )

    def ask(self, chat: Chat, question: str, arms: Sequence[Arm], common: How) -> SideBySide:
        """Ask every arm in the background. Raises CompareError."""
        if not question.strip():
            raise CompareError("The question is empty. Write what you would like to compare.")
        if not 2 <= len(arms) <= MOST_SIDE_BY_SIDE:
            raise CompareError(
                f"Side by side are two to {MOST_SIDE_BY_SIDE} arms, and {len(arms)} were chosen."
            )
        run = uuid.uuid4().hex[:8]
        answers = tuple(self._ask(chat, question, (run, arm.name), arm.how(common)) for arm in arms)
        self._questions[run] = SideBySide(run, question, tuple(arms), answers)
        return self._questions[run]

    def _ask(self, chat: Chat, question: str, key: tuple[str, str], how: How) -> Answer:
        return self.answering.start(key, question, lambda stop: chat.ask(question, how, stop=stop))

    def get(self, run: str) -> SideBySide | None:
        """A question that was asked in this process."""
        return self._questions.get(run)

    def start(
        self, chat: Chat, engine: Engine, questions: Sequence[Question], arms: Sequence[Arm], common: How
    ) -> Trial:
        """Begin to answer a file of questions. Raises AssistantError while another one is running."""
        if not arms:
            raise CompareError("No arm is chosen. Choose at least one.")
        trial = Trial(len(questions) * len(arms))
        return self._newest.start("trial", trial, lambda: trial.answer(chat, engine, questions, arms, common))

    @property
    def trial(self) -> Trial | None:
        """The newest comparison over a file of questions."""
        return self._newest.get("trial")
