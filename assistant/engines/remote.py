"""An OpenAI-compatible endpoint as an engine. Used only when a person has set its address.

It sends prompts to that address and to nowhere else. It has no access to the model's tokenizer, so token counts
are estimates: a token for four letters, or for one Chinese, Japanese or Korean character.
"""

import json
import re
import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from assistant.engines.base import GREEDY, SamplingParams
from assistant.engines.many_streams import complete_by_streams
from assistant.engines.remote_adapters import RemoteAdapters
from assistant.engines.remote_protocol import AnswerText, request_body
from assistant.errors import EngineError
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.data.examples import Message
from tuning.models.capability import capability
from tuning.models.stream_end import FinishReason, StreamEnd

_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_TOKENS_AROUND_A_MESSAGE = 4
_CONNECT_SECONDS = 10.0
_READ_SECONDS = 120.0
_MAX_CONCURRENT_REQUESTS = 8


class RemoteEngine:
    """Answers with a model behind `url` (ending in /v1); a checkpoint is requested as a model of its name."""

    reads_tools = True

    def __init__(
        self,
        url: str,
        model: str,
        api_key: str = "",
        window: int = 8192,
        client: httpx.Client | None = None,
        registry: Registry | None = None,
    ) -> None:
        """With a `registry`, its checkpoints of this model are loaded into the endpoint where that is a vLLM server."""
        self.name = model
        self.window = window
        self.capability = capability(None)
        self._url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = client or httpx.Client(timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS))
        self._adapters = (
            RemoteAdapters(self._client, self._url, self._headers, model, registry) if registry else None
        )

    def checkpoints(self) -> list[str]:
        """Every other model that the endpoint offers, and the checkpoints of this home that it can load."""
        offered, is_vllm = self._models()
        own = self._adapters.fitting() if self._adapters and is_vllm else ()
        served = {self._adapters.served_name(found) for found in own} if self._adapters else set()
        others = [name for name in offered if name != self.name and name not in served]
        return [*others, *(found.name for found in own if found.name not in others)]

    def label(self, checkpoint: str | None) -> str:
        """The address without its path."""
        return urlsplit(self._url).netloc

    def prompt_capacity(self, checkpoint: str | None) -> int:
        """The window as it was set."""
        return self.window

    def identity(self, checkpoint: str | None) -> str | None:
        """Unknown: the model behind a name may change at any time."""
        return None

    def system_prompt(self, checkpoint: str | None) -> str:
        """The system prompt of a checkpoint of this home; what an endpoint keeps for itself is unknown."""
        own = self._own(checkpoint)
        return own.system_prompt if own else ""

    def stream(
        self,
        messages: Sequence[Message],
        params: SamplingParams = GREEDY,
        *,
        checkpoint: str | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[str, None, StreamEnd]:
        """As `Engine.stream`; tokens are counted by the endpoint where it says so, else estimated."""
        model = self._served(checkpoint)
        answer, text = AnswerText(), ""
        reason: FinishReason = "stop"
        tokens: int | None = None
        try:
            with self._client.stream(
                "POST",
                f"{self._url}/chat/completions",
                json=request_body(model, messages, params),
                headers=self._headers,
            ) as response:
                if response.is_error:
                    response.read()
                    response.raise_for_status()
                for line in response.iter_lines():
                    if stop is not None and stop.is_set():
                        break
                    event = _Event.parse(line)
                    if event.error:
                        raise EngineError(f"{self._url} broke off the answer of {self.name}: {event.error}")
                    reason = "length" if event.finish_reason == "length" else reason
                    tokens = event.completion_tokens or tokens
                    for piece in answer.of(event.choice):
                        text += piece
                        yield piece
                yield from answer.end()
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            raise self._error(error) from error
        return StreamEnd(reason, self.count_text(text) if tokens is None else tokens)

    def complete(
        self,
        batch: Sequence[Sequence[Message]],
        *,
        checkpoint: str | None = None,
        max_new_tokens: int = 64,
    ) -> list[str]:
        """Greedy answers to many prompts, several requests at once. Raises EngineError."""
        return complete_by_streams(
            self, batch, checkpoint, SamplingParams(max_new_tokens), _MAX_CONCURRENT_REQUESTS
        )

    def encode(self, text: str) -> list[int]:
        """Raises EngineError: the tokenizer is at the endpoint."""
        raise EngineError(
            f"The tokenizer of {self.name} at {self._url} is not available here; count_text gives an estimate."
        )

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """An estimate of the prompt's tokens."""
        texts = [message["content"] + message.get("tool_calls", "") for message in messages]
        return sum(self.count_text(text) + _TOKENS_AROUND_A_MESSAGE for text in texts)

    def count_text(self, text: str) -> int:
        """An estimate of a text's tokens."""
        wide = len(_WIDE.findall(text))
        return wide + (len(text) - wide + 3) // 4

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _models(self) -> tuple[list[str], bool]:
        """The names of all models at the endpoint, and whether it is a vLLM server. Raises EngineError."""
        try:
            response = self._client.get(f"{self._url}/models", headers=self._headers)
            response.raise_for_status()
            entries = response.json()["data"]
            return [str(entry["id"]) for entry in entries], any(
                entry.get("owned_by") == "vllm" for entry in entries
            )
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._error(error) from error

    def _own(self, checkpoint: str | None) -> Checkpoint | None:
        return self._adapters.named(checkpoint) if self._adapters and checkpoint else None

    def _served(self, checkpoint: str | None) -> str:
        """The endpoint's name for a checkpoint, loaded there first where it is one of this home. Raises EngineError."""
        own = self._own(checkpoint)
        if own is None or self._adapters is None:
            return checkpoint or self.name
        # Asked each time: a server that was restarted has forgotten its adapters.
        offered, is_vllm = self._models()
        return self._adapters.load(own, offered) if is_vllm and own.name not in offered else own.name

    def _error(self, error: Exception) -> EngineError:
        if isinstance(error, httpx.HTTPStatusError):
            said = error.response.text.strip()[:300] or "nothing more"
            return EngineError(
                f"{self._url} refused the request for {self.name} with {error.response.status_code} "
                f"and said: {said}. Check the address, the model's name and the key in the settings."
            )
        if isinstance(error, httpx.HTTPError):
            return EngineError(
                f"{self._url} could not be reached ({type(error).__name__}: {error}). "
                "Check the address in the settings, or choose a local model."
            )
        return EngineError(
            f"{self._url} did not answer as an OpenAI-compatible endpoint does ({error}). "
            "Its address usually ends in /v1."
        )


@dataclass(frozen=True)
class _Event:
    """What one line of a server-sent event stream holds; comments and empty lines hold nothing."""

    choice: Mapping[str, Any] = field(default_factory=dict)
    finish_reason: str = ""
    completion_tokens: int | None = None
    error: str = ""

    @classmethod
    def parse(cls, line: str) -> "_Event":
        data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
        if not data or data == "[DONE]":
            return cls()
        record = json.loads(data)
        if "error" in record:
            return cls(error=str(record["error"].get("message") or record["error"]))
        choice = record["choices"][0] if record["choices"] else {}
        return cls(
            choice,
            choice.get("finish_reason") or "",
            (record.get("usage") or {}).get("completion_tokens"),
        )
