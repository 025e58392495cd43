"""The bare worker, where the second of several processes has no memory for steps of more than 100 tokens."""

import os
import sys
from pathlib import Path

from tuning.jobs import round
from tuning.jobs.folder import JobFolder
from tuning.jobs.worker import main
from tuning.models.packing import pack
from tuning.training import trainer


def _pack(*given):
    if os.environ["RANK"] == "1" and JobFolder(Path(sys.argv[1])).config().tokens_per_step > 100:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
    return pack(*given)


if __name__ == "__main__":
    round._evaluate = lambda *_: {}
    trainer.pack = _pack
    sys.exit(main(sys.argv[1:], work=round.tune))
