"""A worker whose work is to sleep in steps, for what is to be seen of jobs from outside.

The example's question says what it does: a number of steps, or one of the words below.
"""

import os
import sys
import time
from pathlib import Path

from safetensors import SafetensorError

from tuning.errors import MethodError
from tuning.jobs import ram
from tuning.jobs.task import JobStopped, Task, TaskOutcome
from tuning.jobs.worker import main


def pretend(task: Task) -> TaskOutcome:
    request = _request(task)
    if request == "stubborn":
        while True:
            time.sleep(60)  # looks at nothing; only a kill ends it
    if request == "child":
        import subprocess

        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        task.emit({"kind": "child", "pid": child.pid})
        child.wait()
    if request == "refuse":
        raise MethodError("This cannot be done: 'x'. Choose 'y'.")
    if request == "bug":
        raise ZeroDivisionError("surprise")
    if request == "memory" and (task.config.tokens_per_step or 10**6) > 600:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
    if request == "nearly full" and (task.config.tokens_per_step or 10**6) > 600:
        ram.is_short = lambda: True
        time.sleep(60)
    if request == "never enough":
        raise MemoryError
    if request == "disk":
        raise OSError(28, "No space left on device")
    if request == "disk in words":
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
    if request == "exit":
        os._exit(3)
    done = task.folder.state / "steps"
    task.folder.state.mkdir(exist_ok=True)
    first = int(done.read_text()) if done.exists() else 0
    task.enter("training")
    steps = int(request) if request.isdigit() else 2
    for step in range(first + 1, steps + 1):
        if task.should_stop():
            raise JobStopped
        time.sleep(0.05)
        task.emit(
            {"kind": "step", "step": step, "steps": steps, "loss": 1 / step, "seconds_left": 0.05 * steps}
        )
        _write(done, str(step))
    task.enter("saving")
    return TaskOutcome("made up", {"steps": steps, "first": first}, {"recall": {"after": 1.0}})


def _write(path: Path, text: str) -> None:
    """A file that a kill at any moment leaves as it was before or as it is after."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def _request(task: Task) -> str:
    """The first question of the examples, or of the preferences."""
    if task.examples:
        return task.examples[0].question
    preferred = task.folder.preferences()
    return [*preferred.pairs, *preferred.judgements][0].prompt[-1]["content"]


if __name__ == "__main__":
    sys.exit(main([str(Path(sys.argv[1]))], work=pretend))
