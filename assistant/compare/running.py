"""Comparisons in the background: one question side by side, an evaluation, a blind trial's answers."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from assistant.arena.pairing import BlindTrial
from assistant.arena.trials import BlindTrials
from assistant.background import Newest, Work
from assistant.chat.chat import Chat, ChatEvent, How
from assistant.chat.live import Answer, Answering
from assistant.compare.costs import Stored
from assistant.compare.evaluate import Phase, evaluate
from assistant.compare.evaluations import Evaluations, Plan
from assistant.compare.judge import Choice, Judge, open_judge
from assistant.compare.runner import MOST_SIDE_BY_SIDE, Asking
from assistant.compare.variants import Arm
from assistant.engines.base import Engine
from assistant.errors import CompareError
from assistant.history.conversations import ConversationStore

WRITTEN_AHEAD = 2  # questions of a blind trial that are answered before anybody sees them
_KNOWN_SECONDS = 1.5  # answers that come within it were known from before


@dataclass(frozen=True)
class SideBySide:
    """One question, and every arm's answer as it is written."""

    id: str
    question: str
    arms: tuple[Arm, ...]
    answers: tuple[Answer, ...]
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

    def vote(self, store: ConversationStore, best: int) -> None:
        """Keep that the answer at place `best` was preferred to each of the others."""
        prompt = [{"role": "user", "content": self.question}]
        for place, answer in enumerate(self.answers):
            if place != best and answer.text.strip() and answer.text != self.answers[best].text:
                store.add_preference(
                    prompt,
                    self.answers[best].text,
                    answer.text,
                    chosen_arm=self.arms[best].name,
                    rejected_arm=self.arms[place].name,
                )


@dataclass
class Evaluation(Work):
    """An evaluation that is going on, as far as it is."""

    plan: Plan
    total: int
    done: int = 0
    arm: str = ""
    phase: Phase = "answering"
    began: float = field(default_factory=time.monotonic)
    # What was known from before when the first answers came: it says nothing about the speed.
    known: int | None = None
    is_complete: bool = False

    @property
    def seconds_left(self) -> float | None:
        """How long the answers will still take at the speed so far; None while that is unknown."""
        fresh = self.done - (self.known or 0)
        if self.phase != "answering" or fresh < 1:
            return None
        return (time.monotonic() - self.began) / fresh * (self.total - self.done)

    def run_plan(
        self,
        evaluations: Evaluations,
        chat: Chat,
        engine: Engine,
        checkpoints: Sequence[Stored],
        key: str,
        *,
        costs: bool = True,
    ) -> None:
        """Answer, measure, judge, and keep the result. Raises AssistantError, KnowledgeError."""
        judge = None
        if self.plan.judge is not None:
            choice = Choice(**self.plan.judge)
            judge = Judge(open_judge(choice, key), choice.model, evaluations.folder / "verdicts.jsonl")
        result = evaluate(
            chat,
            engine,
            self.plan,
            cache=evaluations.cache(),
            checkpoints=checkpoints,
            judge=judge,
            costs=costs,
            on_progress=partial(self._on_progress, evaluations),
            stop=self.stop_event,
        )
        evaluations.finish(self.plan.id, result)
        self.is_complete = True

    def _on_progress(
        self, evaluations: Evaluations, phase: Phase, done: int, total: int, arm: str = ""
    ) -> None:
        if phase == "answering" and time.monotonic() - self.began < _KNOWN_SECONDS:
            self.known = done
        self.phase, self.done, self.total, self.arm = phase, done, total, arm
        if phase == "answering":
            evaluations.note(self.plan.id, done)


@dataclass
class WritingAhead(Work):
    """The answers of a blind trial, written a few questions ahead of the votes."""

    place: int | None = None

    def write(self, store: BlindTrials, trial: BlindTrial, asking: Asking) -> None:
        """Write what will be shown next. Raises AssistantError, KnowledgeError."""
        while (missing := ahead(store, trial.id)) is not None and not self.stopping:
            self.place, arm_name = missing
            question = store.get(trial.id).questions[self.place]
            arm = next(arm for arm in trial.arms if arm.name == arm_name)
            (answered,) = asking(arm, [question])
            store.keep_answer(trial.id, self.place, arm.name, answered.text)


def ahead(store: BlindTrials, trial_id: str) -> tuple[int, str] | None:
    """The next answer to write: of ballots that are open, then of the questions that come after them."""
    trial = store.get(trial_id)
    waiting = [
        (one.place, arm) for one in store.open_ballots(trial_id) for arm in (one.first_arm, one.second_arm)
    ]
    furthest = store.furthest(trial_id)
    later = range(furthest + 1, min(len(trial.questions), furthest + 1 + WRITTEN_AHEAD))
    wanted = [*waiting, *((place, arm.name) for place in later for arm in trial.arms)]
    known = {place: store.answers(trial_id, place) for place in {place for place, _ in wanted}}
    return next(((place, arm) for place, arm in wanted if arm not in known[place]), None)


@dataclass
class Trials:
    """What is compared in this process."""

    answering: Answering
    _questions: dict[str, SideBySide] = field(default_factory=dict)
    _newest: Newest[Evaluation] = field(
        default_factory=lambda: Newest("An evaluation is still running. Stop it, or wait until it ends.")
    )
    _writing: Newest[WritingAhead] = field(default_factory=lambda: Newest("These answers are being written."))

    def ask(
        self,
        chat: Chat,
        question: str,
        arms: Sequence[Arm],
        common: How,
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
        if not 2 <= len(arms) <= MOST_SIDE_BY_SIDE:
            raise CompareError(
                f"Side by side are two to {MOST_SIDE_BY_SIDE} arms, and {len(arms)} were chosen."
            )
        if any(arm.given for arm in arms) and not passage.strip():
            raise CompareError(
                "An arm reads a passage that you give it, and there is none. Paste the passage that holds "
                "the answer, or take the arm out."
            )
        run, preparing = uuid.uuid4().hex[:8], threading.Lock()

        def turn(how: How, stop: threading.Event) -> Iterator[ChatEvent]:
            with preparing:
                prepare([arm.checkpoint for arm in arms])
            yield from chat.ask(question, how, stop=stop)

        answers = tuple(
            self.answering.start((run, arm.name), question, partial(turn, arm.how(common, passage)))
            for arm in arms
        )
        self._questions[run] = SideBySide(run, question, tuple(arms), answers, at_once)
        return self._questions[run]

    def get(self, run: str) -> SideBySide | None:
        """A question that was asked in this process."""
        return self._questions.get(run)

    def evaluate(
        self,
        plan: Plan,
        evaluations: Evaluations,
        chat: Chat,
        engine: Engine,
        checkpoints: Sequence[Stored] = (),
        key: str = "",
        *,
        costs: bool = True,
    ) -> Evaluation:
        """Begin an evaluation, or go on with one. Raises AssistantError while another one is running."""
        work = Evaluation(plan, plan.total)
        return self._newest.start(
            "evaluation",
            work,
            lambda: work.run_plan(evaluations, chat, engine, checkpoints, key, costs=costs),
        )

    @property
    def evaluation(self) -> Evaluation | None:
        """The newest evaluation of this process."""
        return self._newest.get("evaluation")

    def write_ahead(
        self, store: BlindTrials, trial: BlindTrial, chat: Chat, engine: Engine
    ) -> WritingAhead | None:
        """See to it that the next answers of a blind trial are written; None where all of them are."""
        running = self._writing.get(trial.id)
        if running is not None and (running.running or running.error):
            return running
        if ahead(store, trial.id) is None:
            return None
        common = How(**{**trial.common, "few_shot": tuple(trial.common.get("few_shot", ()))})
        asking = Asking(chat, engine, common, most_tokens=common.max_new_tokens)
        work = WritingAhead()
        return self._writing.start(trial.id, work, lambda: work.write(store, trial, asking))

    def forget_failure(self, trial: BlindTrial) -> None:
        """Let the answers of a trial be tried again."""
        self._writing.forget(trial.id)
