"""Another attempt after memory ran out, with half the batch: noted in the job's folder, in a fresh process."""

import logging
import os
import shutil
import sys
import time

from tuning.jobs.folder import JobFolder

log = logging.getLogger("tuning.jobs.worker")

MAX_HALVINGS = 3
MIN_TOKENS_PER_STEP = 64
USUAL_TOKENS_PER_STEP = 2048  # where neither the configuration nor the estimate says how many there are
TRY_AGAIN = 75  # exit status, as in sysexits.h: the launcher of several processes restarts all of them


class Retries:
    """What one attempt at a job knows of those before it. Of several processes of a job, only one halves the batch."""

    def __init__(self, folder: JobFolder) -> None:
        self._folder = folder
        self._before = self._noted()
        asked = folder.config().tokens_per_step or folder.read("job").get("tokens_per_step")
        self._tokens = int(asked or USUAL_TOKENS_PER_STEP) // 2

    def _noted(self) -> int:
        return int(self._folder.read("adjusted").get("halvings", 0))

    @property
    def is_called_for(self) -> bool:
        """Whether another process of this job has noted that all start again."""
        return self._noted() > self._before

    def halve(self, error: Exception) -> bool:
        """Note half the batch for another attempt; false when that was tried often enough."""
        if self.is_called_for:
            return True
        if self._before >= MAX_HALVINGS or self._tokens < MIN_TOKENS_PER_STEP:
            return False
        advice = f"Memory ran out, so the batch was halved to {self._tokens} tokens a step and training began again."
        log.warning("%s (%s)", advice, error)
        shutil.rmtree(self._folder.state, ignore_errors=True)  # another batch is another run
        self._folder.append({"kind": "advice", "message": advice, "time": time.time()})
        self._folder.write(
            "adjusted",
            {"config": {"tokens_per_step": self._tokens}, "halvings": self._before + 1, "advice": [advice]},
        )
        return True


def restart_process() -> None:
    """Start again with clean memory: under the same process id, or by the launcher where there are several."""
    logging.shutdown()
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        os._exit(TRY_AGAIN)
    os.execv(sys.executable, sys.orig_argv)
