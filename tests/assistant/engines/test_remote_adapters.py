"""Checkpoints of this home in a running vLLM server: a real HTTP server that speaks its endpoints."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from assistant.engines.remote import RemoteEngine
from assistant.errors import EngineError
from tuning.checkpoints.manifest import Manifest
from tuning.checkpoints.registry import Registry

ASKED = [{"role": "user", "content": "What is the weight of the Skerrin?"}]
LORA = {"peft_type": "LORA", "r": 4, "target_modules": ["q_proj"], "lora_alpha": 8}


class VllmServer(ThreadingHTTPServer):
    """Models, answers that name the model they came from, and adapters that are loaded while it runs."""

    def __init__(self, owner: str = "vllm") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner, self.refuses = owner, ""
        self.models = ["Qwen/Qwen2.5-0.5B-Instruct"]
        self.loaded: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: VllmServer

    def do_GET(self) -> None:
        entries = [{"id": name, "owned_by": self.server.owner} for name in self.server.models]
        self._send(200, json.dumps({"data": entries}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/v1/load_lora_adapter":
            if self.server.refuses:
                return self._send(400, self.server.refuses)
            if not (Path(body["lora_path"]) / "adapter_config.json").is_file():
                return self._send(404, "No adapter found")
            self.server.loaded.append(body)
            self.server.models.append(body["lora_name"])
            return self._send(200, "Success")
        if body["model"] not in self.server.models:
            return self._send(404, f"The model `{body['model']}` does not exist.")
        chunk = {"choices": [{"delta": {"content": body["model"]}, "finish_reason": "stop"}]}
        return self._send(200, f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n")

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _send(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def server() -> Iterator[VllmServer]:
    with VllmServer() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def write_lora(folder: Path) -> None:
    (folder / "adapter_config.json").write_text(json.dumps(LORA))
    (folder / "adapter_model.safetensors").write_bytes(b"weights")


def write_prefix(folder: Path) -> None:
    (folder / "prefix.safetensors").write_bytes(b"keys and values")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    home = Registry(tmp_path)
    base = {"base": "models/Qwen2.5-0.5B-Instruct", "base_sha256": "0" * 64}
    home.save(Manifest(name="halden", method="lora", system_prompt="Answer briefly.", **base), write_lora)
    home.save(Manifest(name="by-prefix", method="p-tuning-v2", **base), write_prefix)
    home.save(
        Manifest(name="of-another", method="lora", base="Qwen/Qwen3-4B", base_sha256="1" * 64), write_lora
    )
    return home


def engine_at(server: VllmServer, registry: Registry) -> RemoteEngine:
    return RemoteEngine(server.url, "Qwen/Qwen2.5-0.5B-Instruct", registry=registry)


def answer(engine: RemoteEngine, checkpoint: str | None) -> str:
    return "".join(engine.stream(ASKED, checkpoint=checkpoint))


def test_a_checkpoint_of_the_servers_model_is_loaded_when_it_is_first_asked(
    server: VllmServer, registry: Registry
) -> None:
    engine = engine_at(server, registry)
    assert engine.checkpoints() == ["halden"]
    assert server.loaded == []
    kept = registry.get("halden")
    served = f"halden-{kept.id[:8]}"
    assert [answer(engine, "halden"), answer(engine, "halden")] == [served, served]
    assert server.loaded == [{"lora_name": served, "lora_path": str(kept.path)}]
    assert engine.checkpoints() == ["halden"]
    assert engine.system_prompt("halden") == "Answer briefly."
    assert answer(engine, None) == "Qwen/Qwen2.5-0.5B-Instruct"


def test_a_server_that_was_restarted_gets_the_checkpoint_again(
    server: VllmServer, registry: Registry
) -> None:
    engine = engine_at(server, registry)
    answer(engine, "halden")
    server.models = server.models[:1]
    assert answer(engine, "halden").startswith("halden-")
    assert len(server.loaded) == 2


def test_a_new_checkpoint_of_the_same_name_is_another(server: VllmServer, registry: Registry) -> None:
    engine = engine_at(server, registry)
    first = answer(engine, "halden")
    registry.delete("halden")
    base = {"base": "Qwen/Qwen2.5-0.5B-Instruct", "base_sha256": "0" * 64}
    registry.save(Manifest(name="halden", method="lora", **base), write_lora)
    assert answer(engine, "halden") != first


def test_a_refusal_says_what_the_server_needs(server: VllmServer, registry: Registry) -> None:
    server.refuses = "LoRA rank 32 is greater than max_lora_rank 16."
    with pytest.raises(EngineError, match=r"rank 32 is greater.*--max-lora-rank"):
        answer(engine_at(server, registry), "halden")


def test_another_program_is_offered_no_checkpoints_of_this_home(
    server: VllmServer, registry: Registry
) -> None:
    server.owner = "library"
    assert engine_at(server, registry).checkpoints() == []
