"""The real worker, without the questions at the end."""

import sys

from tuning.jobs import round
from tuning.jobs.worker import main

round._evaluate = lambda *_: {}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], work=round.tune))
