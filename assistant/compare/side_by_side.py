"""One question to several variants at once: what is running in this process, and its votes."""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from assistant.chat.chat import Chat
from assistant.chat.live import LiveAnswer, LiveAnswers
from assistant.chat.turn import AnswerOptions, ChatEvent
from assistant.compare.variants import Variant
from assistant.errors import CompareError
from assistant.history.preferences import PreferenceStore
from assistant.history.records import NewPreference

MAX_SIDE_BY_SIDE = 4
MAX_RUNS_KEPT = 50


def side_by_side(
    chat: Chat,
    question: str,
    arms: Sequence[Variant],
    common: AnswerOptions,
    *,
    stop: threading.Event | None = None,
) -> Iterator[tuple[Variant, ChatEvent]]:
    """One question to several arms, one after the other since they share a model; events as in `Chat.ask`."""
    if not 2 <= len(arms) <= MAX_SIDE_BY_SIDE:
        raise CompareError(f"Side by side are two to {MAX_SIDE_BY_SIDE} arms, and {len(arms)} were chosen.")
    for arm in arms:
        if stop is not None and stop.is_set():
            return
        for event in chat.ask(question, arm.how(common), stop=stop):
            yield arm, event


@dataclass(frozen=True)
class SideBySide:
    """One question, and every arm's answer as it is written."""

    id: str
    question: str
    arms: tuple[Variant, ...]
    answers: tuple[LiveAnswer, ...]
    # Whether the answers share the model token by token, so that their seconds cannot be told apart.
    at_once: bool = False

    @property
    def running(self) -> bool:
        """Whether any arm is still being answered."""
        return any(answer.running for answer in self.answers)

    def stop(self) -> None:
        """Stop every arm."""
        for answer in self.answers:
            answer.stop()

    def vote(self, store: PreferenceStore, best: int) -> None:
        """Keep that the answer at place `best` was preferred to each of the others."""
        prompt = [{"role": "user", "content": self.question}]
        for place, answer in enumerate(self.answers):
            if place != best and answer.text.strip() and answer.text != self.answers[best].text:
                store.add(
                    NewPreference(
                        prompt=prompt,
                        chosen=self.answers[best].text,
                        rejected=answer.text,
                        chosen_arm=self.arms[best].name,
                        rejected_arm=self.arms[place].name,
                    )
                )


class SideBySideRuns:
    """The questions that were put to several variants in this process; the oldest are forgotten."""

    def __init__(self, answering: LiveAnswers) -> None:
        self._answering = answering
        self._runs: OrderedDict[str, SideBySide] = OrderedDict()

    def ask(
        self,
        chat: Chat,
        question: str,
        arms: Sequence[Variant],
        common: AnswerOptions,
        *,
        passage: str = "",
        prepare: Callable[[Sequence[str | None]], None] = lambda checkpoints: None,
        at_once: bool = False,
    ) -> SideBySide:
        """Ask every arm in the background. Raises CompareError.

        `passage` is for arms that are given one. `prepare` opens what is needed before the first answer.
        `at_once` says that the chat writes all answers side by side.
        """
        if not question.strip():
            raise CompareError("The question is empty. Write what you would like to compare.")
        if not 2 <= len(arms) <= MAX_SIDE_BY_SIDE:
            raise CompareError(
                f"Side by side are two to {MAX_SIDE_BY_SIDE} arms, and {len(arms)} were chosen."
            )
        if any(arm.given for arm in arms) and not passage.strip():
            raise CompareError(
                "An arm reads a passage that you give it, and there is none. Paste the passage that holds "
                "the answer, or take the arm out."
            )
        run, preparing = uuid.uuid4().hex[:8], threading.Lock()

        def turn(how: AnswerOptions, stop: threading.Event) -> Iterator[ChatEvent]:
            with preparing:
                prepare([arm.checkpoint for arm in arms])
            yield from chat.ask(question, how, stop=stop)

        answers = tuple(
            self._answering.start((run, arm.name), question, partial(turn, arm.how(common, passage)))
            for arm in arms
        )
        self._runs[run] = SideBySide(run, question, tuple(arms), answers, at_once)
        while len(self._runs) > MAX_RUNS_KEPT and not next(iter(self._runs.values())).running:
            self._runs.popitem(last=False)
        return self._runs[run]

    def get(self, run: str) -> SideBySide | None:
        """A question that was asked in this process; None once it is forgotten."""
        return self._runs.get(run)
