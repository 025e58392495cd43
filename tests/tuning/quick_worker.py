"""The real worker, with fewer general questions at the end and its state kept after every step."""

import functools
import sys

from tuning import evaluation, rounds, trainer
from tuning.worker import main

trainer._SAVE_EVERY_SECONDS = 0.0
rounds.evaluate = functools.partial(evaluation.evaluate, retention=3)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], work=rounds.tune))
