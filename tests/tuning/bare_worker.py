"""The real worker, without the questions at the end."""

import sys

from tuning import rounds
from tuning.worker import main

rounds._evaluate = lambda *_: {}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], work=rounds.tune))
