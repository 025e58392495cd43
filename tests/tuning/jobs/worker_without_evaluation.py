"""The real worker, without the questions at the end."""

import functools
import sys

from tuning.jobs import round
from tuning.jobs.worker import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], work=functools.partial(round.tune, evaluate=lambda *_: {})))
