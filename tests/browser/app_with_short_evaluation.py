"""The real app, whose jobs ask fewer general questions and are not timed before: tested is the way to a checkpoint."""

import os
import sys
import time
from pathlib import Path
from typing import Any

from assistant.cli.main import main
from tuning.jobs import calibration
from tuning.jobs.jobs import Job, Jobs

WORKER = (sys.executable, str(Path(__file__).with_name("worker_with_short_evaluation.py")))


def slowly(submit: Any, seconds: float) -> Any:
    """Jobs are ordered as on a slow disk: long enough to press a second time."""

    def submit_slowly(self: Jobs, *arguments: Any) -> Job:
        time.sleep(seconds)
        return submit(self, *arguments)

    return submit_slowly


if __name__ == "__main__":
    _, *others = Jobs.__init__.__defaults__ or ()
    Jobs.__init__.__defaults__ = (WORKER, *others)
    Jobs.submit = slowly(Jobs.submit, float(os.environ.get("SUBMIT_SECONDS", "0")))
    calibration._run = lambda *_: None
    main()
