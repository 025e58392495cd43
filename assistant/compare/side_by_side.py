"""One question to several variants: the runs of this process, and the votes on their answers."""

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


@dataclass(frozen=True)
class SideBySide:
    """One question, and each variant's answer as it is generated."""

    id: str
    question: str
    variants: tuple[Variant, ...]
    answers: tuple[LiveAnswer, ...]
    # Whether the answers are generated in one batch, so that their seconds are shared.
    at_once: bool = False

    @property
    def running(self) -> bool:
        """Whether any answer is still being generated."""
        return any(answer.running for answer in self.answers)

    def stop(self) -> None:
        """Stop all answers."""
        for answer in self.answers:
            answer.stop()

    def vote(self, store: PreferenceStore, best: int) -> None:
        """Keep as preferences that the answer at index `best` is better than each of the others."""
        prompt = [{"role": "user", "content": self.question}]
        for place, answer in enumerate(self.answers):
            if place != best and answer.text.strip() and answer.text != self.answers[best].text:
                store.add(
                    NewPreference(
                        prompt=prompt,
                        chosen=self.answers[best].text,
                        rejected=answer.text,
                        chosen_arm=self.variants[best].name,
                        rejected_arm=self.variants[place].name,
                    )
                )


class SideBySideRuns:
    """The side-by-side runs of this process; the oldest are dropped."""

    def __init__(self, answering: LiveAnswers) -> None:
        self._answering = answering
        self._runs: OrderedDict[str, SideBySide] = OrderedDict()

    def ask(
        self,
        chat: Chat,
        question: str,
        variants: Sequence[Variant],
        defaults: AnswerOptions,
        *,
        passage: str = "",
        prepare: Callable[[Sequence[str | None]], None] = lambda checkpoints: None,
        at_once: bool = False,
    ) -> SideBySide:
        """Ask every variant in the background. Raises CompareError.

        `passage` is what variants with `given` read. `prepare` is called once, before the first answer, with the
        checkpoints to open. `at_once` says that the chat generates all answers in one batch.
        """
        if not question.strip():
            raise CompareError("The question is empty. Write what you would like to compare.")
        if not 2 <= len(variants) <= MAX_SIDE_BY_SIDE:
            raise CompareError(
                f"Choose 2 to {MAX_SIDE_BY_SIDE} variants to compare; {len(variants)} chosen now."
            )
        if any(variant.given for variant in variants) and not passage.strip():
            raise CompareError(
                "A variant reads a passage that you give it, and there is none. Paste the passage that holds "
                "the answer, or take the variant out."
            )
        run, preparing = uuid.uuid4().hex[:8], threading.Lock()

        def turn(options: AnswerOptions, stop: threading.Event) -> Iterator[ChatEvent]:
            with preparing:
                prepare([variant.checkpoint for variant in variants])
            yield from chat.ask(question, options, stop=stop)

        answers = tuple(
            self._answering.start(
                (run, variant.name), question, partial(turn, variant.answer_options(defaults, passage))
            )
            for variant in variants
        )
        self._runs[run] = SideBySide(run, question, tuple(variants), answers, at_once)
        while len(self._runs) > MAX_RUNS_KEPT and not next(iter(self._runs.values())).running:
            self._runs.popitem(last=False)
        return self._runs[run]

    def get(self, run: str) -> SideBySide | None:
        """A run of this process; None once it was dropped."""
        return self._runs.get(run)
