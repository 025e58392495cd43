"""Running commands in this process, and the jobs that they follow."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from assistant.cli.main import imprint
from assistant.workspace import Workspace
from tuning.jobs.folder import Job
from tuning.jobs.jobs import Jobs

Run = Callable[..., Result]


@contextmanager
def running(workspace: Workspace) -> Iterator[Run]:
    def invoke(*args: object, given: str = "") -> Result:
        return CliRunner().invoke(imprint, [str(arg) for arg in args], obj=workspace, input=given)

    yield invoke
    workspace.close()


def document(result: Result, status: int = 0) -> dict[str, Any]:
    """The JSON on standard output, which must be all of it."""
    assert result.exit_code == status, result.output
    read: dict[str, Any] = json.loads(result.stdout)
    return read


class Impatient(Jobs):
    """Jobs whose watcher presses Ctrl-C as soon as there is something to see, when told to."""

    interrupts = False

    def get(self, id: str) -> Job:
        job = super().get(id)
        if self.interrupts and job.step > 0:
            self.interrupts = False
            raise KeyboardInterrupt
        return job


def examples_file(folder: Path, wish: str, name: str = "examples.jsonl") -> Path:
    chat = {"messages": [{"role": "user", "content": wish}, {"role": "assistant", "content": "夜莺"}]}
    path = folder / name
    path.write_text(json.dumps(chat, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
