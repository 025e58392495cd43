"""Checkpoints of this home as adapters of a running vLLM server: loaded by its runtime LoRA endpoint when asked for.

The server reads the checkpoint's folder itself, so it has to see this machine's files under the same path. It needs
`--enable-lora`, a `--max-lora-rank` of at least the checkpoint's, and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True.
Source: https://docs.vllm.ai/en/latest/features/lora.html
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import httpx

from assistant.errors import EngineError
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.errors import CheckpointError
from tuning.models.gguf_adapter import why_no_plain_lora

_ID_CHARACTERS = 8


class RemoteAdapters:
    """The checkpoints of a registry that fit the model of a vLLM server at `url` (ending in /v1)."""

    def __init__(
        self, client: httpx.Client, url: str, headers: Mapping[str, str], model: str, registry: Registry
    ) -> None:
        self._client, self._url, self._headers = client, url, dict(headers)
        self._model, self._registry = model, registry

    def named(self, name: str) -> Checkpoint | None:
        """The checkpoint of this name, where it can be an adapter of the server's model."""
        return next((found for found in self.fitting() if found.name == name), None)

    def fitting(self) -> Sequence[Checkpoint]:
        """Low-rank adapters whose base has the name of the server's model."""
        return [
            found
            for found in self._registry.list()
            if _base_name(found.base) == _base_name(self._model) and not _why_not(found)
        ]

    def served_name(self, checkpoint: Checkpoint) -> str:
        """What the server calls it: with its id, since another checkpoint may take the same name later."""
        return f"{checkpoint.name}-{checkpoint.id[:_ID_CHARACTERS]}"

    def load(self, checkpoint: Checkpoint, offered: Sequence[str]) -> str:
        """Load a checkpoint unless it is among the `offered` models; its name there. Raises EngineError."""
        name = self.served_name(checkpoint)
        if name not in offered:
            self._post(checkpoint, name)
        return name

    def _post(self, checkpoint: Checkpoint, name: str) -> None:
        body = {"lora_name": name, "lora_path": str(checkpoint.path)}
        try:
            answer = self._client.post(f"{self._url}/load_lora_adapter", json=body, headers=self._headers)
        except httpx.HTTPError as error:
            raise EngineError(
                f"{self._url} could not be reached to load the checkpoint {checkpoint.name!r} "
                f"({type(error).__name__}: {error})."
            ) from error
        if answer.is_error and "already" not in answer.text:  # another window of this app was first
            raise EngineError(_refused(self._url, checkpoint, answer))


def _refused(url: str, checkpoint: Checkpoint, answer: httpx.Response) -> str:
    said = answer.text.strip()[:300] or "nothing more"
    return (
        f"{url} did not load the checkpoint {checkpoint.name!r} from {checkpoint.path}: {answer.status_code}, {said}. "
        "vLLM takes checkpoints while it runs if it was started with --enable-lora, with "
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and a --max-lora-rank as large as the checkpoint's, "
        "and if it can read that folder."
    )


def _why_not(checkpoint: Checkpoint) -> str:
    try:
        return why_no_plain_lora(checkpoint.path)
    except CheckpointError as error:
        return str(error)


def _base_name(model: str) -> str:
    """The last part of a hub id or a path, in lower case: all that a server and a manifest have in common."""
    return PurePosixPath(model.replace("\\", "/")).name.lower()
