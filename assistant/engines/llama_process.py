"""The process that holds a model in llama.cpp: `python -m assistant.engines.llama_process`.

It reads its settings as one line of JSON, answers with the address where it serves, and ends when its standard input
does: with the process that started it, however that one ended. It knows neither prompts nor checkpoints.
"""

import json
import os
import sys
from typing import Any


def main() -> None:
    """Serve until standard input ends."""
    _keep_no_dump()
    import xllamacpp  # a hundred megabytes of machine code, for this process alone

    replies = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # llama.cpp logs to both
    settings = json.loads(sys.stdin.readline())
    server = xllamacpp.Server(_params(xllamacpp, settings))
    print(json.dumps({"url": server.listening_address}), file=replies, flush=True)
    sys.stdin.read()
    os._exit(0)  # the server's own end would wait for the answers that are being written


def _keep_no_dump() -> None:
    """A fault writes no memory to disk: it holds chats, and takes many seconds."""
    if sys.platform == "win32":
        return
    import resource  # not on Windows

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _params(xllamacpp: Any, settings: dict[str, Any]) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(path, 1.0) for path in settings["adapters"]]
    params.lora_init_without_apply = False  # a request that says nothing gets all: what belongs to the base
    params.api_keys = [settings["key"]]
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel = settings["context"], settings["slots"]
    params.n_batch = params.n_ubatch = settings["batch"]
    params.kv_unified = True  # one window for all answers: a long one may take what the others leave
    params.cache_ram_mib = settings["cache_mib"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.n_gpu_layers = 0
    params.fit_params = False  # the context was fitted to the memory by the caller
    params.use_jinja, params.chat_template = False, "chatml"  # the file's own template is a foreign program
    if settings["states"]:  # slots are filled from files there, and keep that until they are filled again
        params.slot_save_path, params.cache_idle_slots, params.cache_ram_mib = settings["states"], False, 0
    params.ui = False
    params.verbosity = 1  # errors
    return params


if __name__ == "__main__":
    main()
