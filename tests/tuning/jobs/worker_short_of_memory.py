"""The worker without evaluation, where the second of two processes has no memory for steps of over 100 tokens."""

import functools
import sys
from pathlib import Path

from tuning.jobs import round, worker
from tuning.jobs.folder import JobFolder


class ShortOfMemory(JobFolder):
    """Fails where the training loop looks whether to go on: between two steps."""

    @property
    def is_cancelled(self) -> bool:
        if (self.config().tokens_per_step or 0) > 100:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return super().is_cancelled


def train_as_rank(folder: JobFolder) -> None:
    round.train_as_rank(ShortOfMemory(Path(folder.path)))


if __name__ == "__main__":
    worker.lower_priority = lambda: None  # the tests beside it would go first
    work = functools.partial(round.tune, evaluate=lambda *_: {})
    sys.exit(worker.main(sys.argv[1:], work=work, rank_work=train_as_rank))
