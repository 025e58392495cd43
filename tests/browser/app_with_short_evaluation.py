"""The real app, whose jobs ask fewer general questions at the end: tested is the way to a checkpoint and back."""

import sys
from pathlib import Path

from assistant.cli.main import main
from tuning.jobs.jobs import Jobs

WORKER = (sys.executable, str(Path(__file__).with_name("worker_with_short_evaluation.py")))

if __name__ == "__main__":
    Jobs.__init__.__defaults__ = (WORKER,)
    main()
