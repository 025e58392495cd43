"""What `benchmarks.decoding` measures Imprint's engine against: torch's loop, transformers, llama.cpp alone, HTTP."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from assistant.engines.services import own_engine
from assistant.workspace import Workspace
from tuning.checkpoints.manifest import Checkpoint
from tuning.data.examples import Message

Write = Callable[[list[Message], int], Iterator[str]]  # a prompt and how many tokens → pieces of text
_BARE = """
import json, sys
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.verbosity, params.n_ctx, params.n_gpu_layers = sys.argv[1], 1, 8192, 0
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(sys.argv[2])
server = xllamacpp.Server(params)
print("ready", flush=True)
for line in sys.stdin:
    server.handle_completions({**json.loads(line), "stream": True}, lambda chunk: print(json.dumps(chunk), flush=True))
    print("end", flush=True)
"""


@contextmanager
def torch_loop(name: str, home: Path, checkpoint: Checkpoint | None) -> Iterator[Write]:
    """Imprint's loop over torch, token by token."""
    from tuning.models.base_model import BaseModel

    base = BaseModel.open(name, home, device="cpu")
    if checkpoint:
        base.sha256 = checkpoint.base_sha256  # a folder that was made of the same file
        base.load_checkpoint(checkpoint)
    adapter = checkpoint.name if checkpoint else None
    yield lambda messages, tokens: base.generate(messages, adapter=adapter, max_new_tokens=tokens)
    base.close()


@contextmanager
def generate(name: str, home: Path) -> Iterator[Write]:
    """transformers' own `generate`, as its documentation streams it."""
    from transformers import TextIteratorStreamer

    from tuning.models.base_model import BaseModel

    base = BaseModel.open(name, home, device="cpu")

    def write(messages: list[Message], tokens: int) -> Iterator[str]:
        import torch

        ids = torch.tensor([base.chat_ids(messages, add_generation_prompt=True)])
        streamer = TextIteratorStreamer(base.tokenizer, skip_prompt=True)  # type: ignore[arg-type]
        options = {
            "max_new_tokens": tokens,
            "min_new_tokens": tokens,
            "do_sample": False,
            "streamer": streamer,
        }
        model: Any = base.model
        thread = threading.Thread(
            target=model.generate, args=(ids,), kwargs={**options, "attention_mask": torch.ones_like(ids)}
        )
        thread.start()
        yield from streamer
        thread.join()

    yield write
    base.close()


@contextmanager
def bare_llama(workspace: Workspace, environment: dict[str, str]) -> Iterator[Write]:
    """xllamacpp in a process that does nothing else, called without HTTP."""
    from tuning.models.gguf_base import GgufBase

    base = GgufBase.find(workspace.settings.base_model, workspace.home)
    assert base is not None
    counter = workspace.engine()
    chosen = own_engine(counter)
    process = subprocess.Popen(
        [sys.executable, "-c", _BARE, str(base.path), str(os.cpu_count())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"} | environment,
    )
    assert process.stdin is not None and process.stdout is not None
    assert process.stdout.readline() == "ready\n"

    def write(messages: list[Message], tokens: int) -> Iterator[str]:
        assert process.stdin is not None and process.stdout is not None
        ids = chosen._llama._prompts.ids(messages)  # type: ignore[attr-defined]
        body = {"prompt": ids, "n_predict": tokens, "temperature": 0.0, "samplers": ["temperature"]}
        process.stdin.write(json.dumps(body) + "\n")
        process.stdin.flush()
        while (line := process.stdout.readline()) != "end\n":
            chunk = json.loads(line)
            if text := chunk["choices"][0].get("text") if "choices" in chunk else chunk.get("content"):
                yield text

    yield write
    process.kill()
    process.communicate()


@contextmanager
def served(home: Path, base: str) -> Iterator[Write]:
    """`imprint serve`, asked over HTTP as any client does."""
    with served_at(home, base) as address, httpx.Client(base_url=f"{address}/v1", timeout=600) as client:

        def write(messages: list[Message], tokens: int) -> Iterator[str]:
            body = {"messages": messages, "max_tokens": tokens, "stream": True}
            with client.stream("POST", "/chat/completions", json=body) as response:
                for line in response.iter_lines():
                    if line.startswith("data: {"):
                        choice = json.loads(line[6:])["choices"][0]
                        if text := choice["delta"].get("content"):
                            yield text

        yield write


@contextmanager
def served_at(home: Path, base: str) -> Iterator[str]:
    """The address of `imprint serve` in a process of its own, once it answers."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "assistant.cli", "serve", "--port", str(port)],
        env={
            **os.environ,
            "IMPRINT_HOME": str(home),
            "IMPRINT_BASE_MODEL": base,
            "IMPRINT_ENGINE": "llama.cpp",
        },
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=f"{address}/v1") as client:
            _await_health(client)
        yield address
    finally:
        process.terminate()
        process.communicate()


def _await_health(client: httpx.Client, seconds: float = 120.0) -> None:
    """Until the server answers. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            client.get("/models")
        except httpx.ConnectError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError("the server did not answer")
