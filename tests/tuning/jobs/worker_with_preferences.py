"""The real worker for jobs over preferences, with fewer questions at the end and its state kept after every step."""

import functools
import sys

from tuning.jobs import preference_round
from tuning.jobs.worker import main

if __name__ == "__main__":
    work = functools.partial(preference_round.tune, retention=2, save_every_seconds=0.0)
    sys.exit(main(sys.argv[1:], work=work))
