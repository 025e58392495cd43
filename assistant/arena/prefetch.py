"""Answers of a blind trial, generated in the background before a voter sees their question."""

from dataclasses import dataclass

from assistant.arena.pairing import BlindTrial
from assistant.arena.trials import BlindTrials
from assistant.background import BackgroundTask, TaskRegistry
from assistant.chat.chat import Chat
from assistant.compare.variant_runner import VariantRunner
from assistant.engines.base import Engine

QUESTIONS_AHEAD = 2  # questions of a blind trial that are answered before anybody sees them


@dataclass
class PrefetchTask(BackgroundTask):
    """Generates the answers of one blind trial a few questions ahead of the votes."""

    def prefetch(self, store: BlindTrials, trial: BlindTrial, runner: VariantRunner) -> None:
        """Generate what will be shown next. Raises AssistantError, KnowledgeError."""
        variants = {variant.name: variant for variant in trial.variants}
        while (missing := missing_answer(store, trial.id)) is not None and not self.stopping:
            place, name = missing
            (answer,) = runner.answer(variants[name], [store.get(trial.id).questions[place]])
            store.keep_answer(trial.id, place, name, answer.text)


def missing_answer(store: BlindTrials, trial_id: str) -> tuple[int, str] | None:
    """The question and the variant to answer next: those of open ballots first, then of the next questions."""
    trial = store.get(trial_id)
    waiting = [
        (one.place, name) for one in store.open_ballots(trial_id) for name in (one.first_arm, one.second_arm)
    ]
    last = store.last_place(trial_id)
    next_places = range(last + 1, min(len(trial.questions), last + 1 + QUESTIONS_AHEAD))
    wanted = [*waiting, *((place, variant.name) for place in next_places for variant in trial.variants)]
    known = {place: store.answers(trial_id, place) for place in {place for place, _ in wanted}}
    return next(((place, name) for place, name in wanted if name not in known[place]), None)


class PrefetchRuns:
    """The prefetches of this process, one for each trial."""

    def __init__(self) -> None:
        self._newest: TaskRegistry[PrefetchTask] = TaskRegistry("These answers are being written.")

    def start(self, store: BlindTrials, trial: BlindTrial, chat: Chat, engine: Engine) -> PrefetchTask | None:
        """See to it that the next answers of a trial are generated; None where all of them are there.

        A task that failed is returned, not restarted, until `forget_failure`.
        """
        running = self._newest.get(trial.id)
        if running is not None and (running.running or running.error):
            return running
        if missing_answer(store, trial.id) is None:
            return None
        runner = VariantRunner(chat, engine, trial.defaults, max_tokens=trial.defaults.max_new_tokens)
        task = PrefetchTask()
        return self._newest.start(trial.id, task, lambda: task.prefetch(store, trial, runner))

    def forget_failure(self, trial: BlindTrial) -> None:
        """Let the answers of a trial be tried again."""
        self._newest.remove(trial.id)
