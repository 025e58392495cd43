"""The worker process of a job: started in a session of its own, so that it outlives the program, and ended."""

import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from tuning.checkpoints.registry import Registry
from tuning.errors import JobError
from tuning.jobs import launch
from tuning.jobs.folder import JobFolder
from tuning.process import Identity, end_group, worker_environment

CANCEL_PATIENCE_SECONDS = 3.5  # a worker that does not end by then is killed
REMOTE_CANCEL_SECONDS = 10.0


def start_worker(folder: JobFolder, worker: Sequence[str], home: Path, keys: dict[str, str]) -> None:
    """Start the worker of a job; `keys` are variables that it needs and that no file may hold."""
    with folder.log.open("ab") as log:
        process = subprocess.Popen(
            [*_command(folder, worker), str(folder.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home,
            env={**worker_environment(), **keys},
            start_new_session=True,
        )
    try:
        folder.write("worker", Identity.of(process.pid).to_dict())
    except psutil.NoSuchProcess:  # it has ended already; its log says why
        folder.write("worker", Identity(process.pid, time.time()).to_dict())
    threading.Thread(target=process.wait, daemon=True).start()  # or it would stay as a zombie


def end_worker(folder: JobFolder, registry: Registry) -> None:
    """End the worker of a cancelled job and free what it holds. Raises JobError where it does not end."""
    worker = folder.worker()
    if worker is not None and not worker.is_local:
        _await_end(folder, worker)
    elif worker is not None and folder.is_alive:
        if not end_group(worker.pid, CANCEL_PATIENCE_SECONDS):
            raise JobError(f"Job {folder.id!r}: process {worker.pid} could not be ended. End it by hand.")
        registry.remove_leftovers_of(worker.pid)


def _await_end(folder: JobFolder, worker: Identity) -> None:
    """A worker of another machine sees by itself that its job was cancelled."""
    deadline = time.monotonic() + REMOTE_CANCEL_SECONDS
    while folder.is_alive and not folder.has_result:
        if time.monotonic() > deadline:
            raise JobError(
                f"Job {folder.id!r} runs on {worker.host!r} and did not end within "
                f"{REMOTE_CANCEL_SECONDS:.0f} seconds. End process {worker.pid} there."
            )
        time.sleep(0.1)


def _command(folder: JobFolder, worker: Sequence[str]) -> Sequence[str]:
    """What starts the worker: as many at once as are to train together (see `ranks`)."""
    config = folder.config()
    if config.processes == 1:
        return worker
    return launch.launch(config, [part for part in worker[1:] if part != "-P"])
