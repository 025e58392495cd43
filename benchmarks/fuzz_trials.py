"""What `benchmarks.fuzz_inputs` does to each kind of input: make one of random, and give it to Imprint.

A trial writes into its own folder alone, and opens no weights.
"""

import itertools
import json
import random
import shutil
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from fastapi.testclient import TestClient
from safetensors.torch import save

from assistant.backup.create import create_backup
from assistant.backup.restore import restore_backup
from assistant.errors import BackupError
from assistant.server.app import create_app
from assistant.settings import Settings
from assistant.workspace import Workspace
from benchmarks import fuzz_bodies, fuzz_samples, gpu_shapes
from benchmarks.fuzz_documents import damage
from benchmarks.killing import fill
from tests.fakes import ScriptedEngine
from tuning.checkpoints.import_peft import import_peft
from tuning.data.importers import import_file
from tuning.errors import CheckpointError, ExampleError, ModelError
from tuning.jobs.jobs import Jobs
from tuning.models.template_process import render_chat


class RefusedRequestError(Exception):
    """A request was answered with a status of 400 to 499."""


class Trial:
    """One kind of input. `use` raises one of `refusals` where Imprint refuses it."""

    refusals: tuple[type[Exception], ...] = ()

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder

    def make(self, chance: random.Random) -> bytes:
        """An input."""
        raise NotImplementedError

    def use(self, data: bytes) -> None:
        """Give it to Imprint."""
        raise NotImplementedError

    def close(self) -> None:
        """Free what was opened."""


class ChatFiles(Trial):
    """Files of every format that can be imported, damaged as bytes or as JSON."""

    refusals = (ExampleError,)

    def make(self, chance: random.Random) -> bytes:
        """A sample of one or two records in one of the layouts, or a table, then damaged."""
        if chance.random() < 0.15:
            return damage(chance.choice(fuzz_samples.TABLES).encode(), chance)
        records = [chance.choice(fuzz_samples.RECORDS)] * chance.choice((1, 2))
        if chance.random() < 0.7:
            records = [fuzz_bodies.mutated(record, chance) for record in records]
        text = chance.choice(fuzz_samples.LAYOUTS)(records)
        encoded = text.encode(chance.choice(("utf-8", "utf-8", "utf-16", "gb18030")), "backslashreplace")
        if chance.random() < 0.001:  # these are read in a process of their own, which takes a while
            return _zipped("conversations.json", encoded)
        return damage(encoded, chance) if chance.random() < 0.5 else encoded

    def use(self, data: bytes) -> None:
        """Import it, strictly or leaving out what is broken; all that is found must be storable text."""
        path = self.folder / "chats.bin"
        path.write_bytes(data)
        result = import_file(path, goes_on=bool(len(data) % 2))
        for conversation in result.conversations:
            for message in conversation.messages:
                message["content"].encode("utf-8")


def _zipped(name: str, data: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


class Adapters(Trial):
    """PEFT folders: the configuration's JSON and the weights' bytes are damaged."""

    refusals = (CheckpointError,)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        base = {"name": "base", "sha256": "0" * 64, "template_fingerprint": "", "stop_ids": (0,)}
        ignored: dict[str, Any] = dict.fromkeys(("add_adapter", "unload", "save"), lambda *_: None)
        self._nothing: Any = SimpleNamespace(**base, **ignored)
        self._samples = [(config, save(weights)) for config, weights in fuzz_samples.adapters(torch.randn)]

    def make(self, chance: random.Random) -> bytes:
        """The length of the configuration, the configuration, the weights."""
        config, weights = chance.choice(self._samples)
        text = json.dumps(fuzz_bodies.mutated(config, chance)).encode()
        if chance.random() < 0.2:
            text = damage(text, chance)
        if chance.random() < 0.6:
            weights = damage(weights, chance)
        return len(text).to_bytes(4, "little") + text + weights

    def use(self, data: bytes) -> None:
        """Import it for a base that takes everything."""
        end = 4 + int.from_bytes(data[:4], "little")
        (self.folder / "adapter_config.json").write_bytes(data[4:end])
        (self.folder / "adapter_model.safetensors").write_bytes(data[end:])
        import_peft(self._nothing, self.folder, "fuzz", self._nothing, other_base=True)


class Templates(Trial):
    """Chat templates put together from pieces of Jinja."""

    refusals = (ModelError,)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._tokenizer = gpu_shapes.tokenizer()

    def make(self, chance: random.Random) -> bytes:
        """Some pieces in a row or within each other, sometimes with damage."""
        text = fuzz_samples.template(chance)
        return damage(text.encode(), chance) if chance.random() < 0.3 else text.encode()

    def use(self, data: bytes) -> None:
        """Render a chat with it."""
        self._tokenizer.chat_template = data.decode("utf-8", "replace")
        render_chat("fuzz", self._tokenizer, fuzz_samples.CHAT, add_generation_prompt=len(data) % 2 == 0)


class Requests(Trial):
    """Requests to the HTTP server: its own bodies with other values, and damaged JSON."""

    refusals = (RefusedRequestError,)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        workspace = Workspace(Settings(home=folder / "home"), engine=ScriptedEngine())
        workspace.__dict__["jobs"] = Jobs(folder / "home", worker=(sys.executable, "-c", ""))
        workspace.__dict__["embeddings"] = SimpleNamespace(
            embed_documents=lambda texts: [[0.0, 1.0] for _ in texts],
            count_tokens=lambda texts: map(len, texts),
            window=256,
            dimension=8,
        )
        self._open = ExitStack()
        self._client = self._open.enter_context(TestClient(create_app(workspace)))
        content = json.dumps(fuzz_samples.RECORDS[0]).encode()
        reply = self._client.post("/v1/files", files={"file": ("a.jsonl", content)})
        self._file = reply.json()["id"]

    def make(self, chance: random.Random) -> bytes:
        """Method and path in the first line, then the body."""
        method, path, body = chance.choice(fuzz_bodies.requests(self._file))
        if chance.random() < 0.1:
            path += chance.choice(
                ("?limit=-1", "?limit=x", "?after=%00", "/..%2f..", "%00", "/\ud83d", "?" * 9)
            )
        text = json.dumps(fuzz_bodies.mutated(body, chance)).encode()
        text = damage(text, chance) if chance.random() < 0.2 else text
        return f"{method} {path}\n".encode("utf-8", "replace") + text

    def use(self, data: bytes) -> None:
        """Send it; a status of 500 and more counts as a crash."""
        line, _, body = data.partition(b"\n")
        method, _, path = line.decode().partition(" ")
        reply = self._client.request(
            method, path, content=body or None, headers={"content-type": "application/json"}
        )
        if reply.status_code >= 500:
            raise AssertionError(f"status {reply.status_code}: {reply.text[:300]}")
        if reply.status_code >= 400:
            raise RefusedRequestError
        if "server_error" in reply.text:
            raise AssertionError(reply.text[-300:])

    def close(self) -> None:
        """End the server."""
        self._open.close()


class Backups(Trial):
    """Archives of a backup, cut or damaged, as bytes and inside their members."""

    refusals = (BackupError,)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        fill(folder / "home", random.Random(0), weight_bytes=2000)
        create_backup(folder / "home", folder / "whole.zip")
        self._whole = (folder / "whole.zip").read_bytes()

    def make(self, chance: random.Random) -> bytes:
        """A damaged archive."""
        return damage(self._whole, chance)

    def use(self, data: bytes) -> None:
        """Restore it into a home of its own."""
        path, home = self.folder / "backup.zip", self.folder / "restored"
        path.write_bytes(data)
        try:
            restore_backup(home, path)
        finally:
            shutil.rmtree(home, ignore_errors=True)


TRIALS: dict[str, tuple[type[Trial], float]] = {  # with the share of the inputs
    "chat files": (ChatFiles, 0.66),
    "adapters": (Adapters, 0.1),
    "chat templates": (Templates, 0.01),
    "HTTP requests": (Requests, 0.1),
    "backups": (Backups, 0.13),
}


def inputs(trial: Trial, seed: int) -> Iterator[bytes]:
    """Inputs without end; each depends on its number alone. One nested too deep to be copied here is passed over."""
    for number in itertools.count():
        try:
            made = trial.make(random.Random(f"{seed}-{number}"))
        except RecursionError:
            continue
        yield made
