"""The real worker, with fewer general questions at the end and its state kept after every step."""

import functools
import sys

from tuning.evaluation import recall
from tuning.jobs import round
from tuning.jobs.worker import main
from tuning.training import trainer

trainer._SAVE_EVERY_SECONDS = 0.0
round.evaluate = functools.partial(recall.evaluate, retention=3)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], work=round.tune))
