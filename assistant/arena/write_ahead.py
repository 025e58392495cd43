"""Answers of a blind trial, written before they are asked for."""

from dataclasses import dataclass

from assistant.arena.pairing import BlindTrial
from assistant.arena.trials import BlindTrials
from assistant.background import BackgroundTask, TaskRegistry
from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions
from assistant.compare.runner import VariantRunner
from assistant.engines.base import Engine

WRITTEN_AHEAD = 2  # questions of a blind trial that are answered before anybody sees them


@dataclass
class WritingAhead(BackgroundTask):
    """The answers of a blind trial, written a few questions ahead of the votes."""

    place: int | None = None

    def write(self, store: BlindTrials, trial: BlindTrial, asking: VariantRunner) -> None:
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


class AnswersAhead:
    """What is being written ahead in this process, a task a trial."""

    def __init__(self) -> None:
        self._newest: TaskRegistry[WritingAhead] = TaskRegistry("These answers are being written.")

    def start(self, store: BlindTrials, trial: BlindTrial, chat: Chat, engine: Engine) -> WritingAhead | None:
        """See to it that the next answers of a blind trial are written; None where all of them are."""
        running = self._newest.get(trial.id)
        if running is not None and (running.running or running.error):
            return running
        if ahead(store, trial.id) is None:
            return None
        common = AnswerOptions(**{**trial.common, "few_shot": tuple(trial.common.get("few_shot", ()))})
        asking = VariantRunner(chat, engine, common, max_tokens=common.max_new_tokens)
        work = WritingAhead()
        return self._newest.start(trial.id, work, lambda: work.write(store, trial, asking))

    def forget_failure(self, trial: BlindTrial) -> None:
        """Let the answers of a trial be tried again."""
        self._newest.remove(trial.id)
