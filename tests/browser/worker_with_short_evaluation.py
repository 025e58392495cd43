"""The real worker, with fewer general questions at the end."""

import functools
import sys

from tuning.jobs import preference_round, round
from tuning.jobs.task import Task, TaskOutcome
from tuning.jobs.worker import main
from tuning.training.methods import PREFERENCE_METHODS

GENERAL_QUESTIONS = 8


def work(task: Task) -> TaskOutcome:
    if task.config.method in PREFERENCE_METHODS:
        return preference_round.tune(task, retention=GENERAL_QUESTIONS)
    short = functools.partial(round.evaluate_checkpoint, retention=GENERAL_QUESTIONS)
    return round.tune(task, evaluate=short)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], work=work))
