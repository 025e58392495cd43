"""The processes that `benchmarks.kill_servers` kills: `python -m benchmarks.killed_server serve|chat`, on IMPRINT_HOME.

They are `imprint serve` and the app without their model and without pages: answers are scripted, jobs sleep. What
they store, and how, is the same.
"""

import json
import socket
import sys
import threading
from pathlib import Path

from assistant.chat.turn import Done
from assistant.home.use import only_app, use_home
from assistant.server.app import create_app
from assistant.settings import load_settings
from assistant.web.listening import bounded_server, protected
from assistant.workspace import Workspace
from tests.fakes import ScriptedEngine
from tests.tuning.jobs import worker_that_sleeps
from tuning.jobs.jobs import Jobs
from tuning.process import restrict_new_files

ANSWER = " ".join(f"word{number}" for number in range(40))  # one that repeats itself would be stopped
TABS = 3


def main(what: str) -> None:
    """Run until killed; each line of standard output is something that has been done."""
    restrict_new_files()
    workspace = Workspace(load_settings(), engine=ScriptedEngine(ANSWER))
    with use_home(workspace.home, what):
        (serve if what == "serve" else chat)(workspace)


def serve(workspace: Workspace) -> None:
    """The HTTP server behind all its checks, at the port that it prints."""
    worker = (sys.executable, str(Path(worker_that_sleeps.__file__)))
    workspace.__dict__["jobs"] = Jobs(workspace.home, worker=worker)
    app = protected(create_app(workspace), workspace.settings, upload_paths=("/v1/files",), api=True)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    bounded_server(app, "127.0.0.1", 0).run(sockets=[listener])


def chat(workspace: Workspace) -> None:
    """Conversations in several threads, as tabs have them; prints each turn that has ended."""
    with only_app(workspace.home, "http://127.0.0.1"):
        tabs = [threading.Thread(target=_ask, args=(workspace, tab), daemon=True) for tab in range(TABS)]
        for tab in tabs:
            tab.start()
        for tab in tabs:
            tab.join()


def _ask(workspace: Workspace, tab: int) -> None:
    store = workspace.store
    conversation = store.create(f"tab {tab}")
    for turn in range(10**6):
        if turn % 20 == 19:
            conversation = store.create(f"tab {tab}, turn {turn}")
        question = f"Question {turn} of tab {tab}?"
        done = [e for e in workspace.chat.ask(question, conversation_id=conversation) if isinstance(e, Done)]
        _say({"conversation": conversation, "question": question, "answers": len(done)})


def _say(record: dict[str, object]) -> None:
    """One line in one write: several threads say something."""
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
