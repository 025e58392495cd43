"""The real worker, with fewer general questions at the end and its state kept after every step."""

import functools
import sys

from tuning.jobs import round
from tuning.jobs.worker import main

short = functools.partial(round.evaluate_checkpoint, retention=3)

if __name__ == "__main__":
    work = functools.partial(round.tune, evaluate=short, save_every_seconds=0.0)
    sys.exit(main(sys.argv[1:], work=work))
