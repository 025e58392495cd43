"""Any OpenAI-compatible endpoint as an engine. Used only when a person has set its address.

It sends prompts to that address and to nowhere else; it does not know the model's tokenizer, so token counts
are estimates (about four letters a token, one Chinese, Japanese or Korean character each).
"""

import json
import re
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from assistant.errors import EngineError
from tuning.data.examples import Message

_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_TOKENS_AROUND_A_MESSAGE = 4
_CONNECT_SECONDS = 10.0
_READ_SECONDS = 120.0
_AT_ONCE = 8


class RemoteEngine:
    """Answers with a model behind `url` (ending in /v1); a checkpoint is asked for by its model name."""

    def __init__(
        self,
        url: str,
        model: str,
        api_key: str = "",
        window: int = 8192,
        client: httpx.Client | None = None,
    ) -> None:
        self.name = model
        self.window = window
        self._url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = client or httpx.Client(timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS))

    def checkpoints(self) -> list[str]:
        """Every other model that the endpoint offers."""
        try:
            response = self._client.get(f"{self._url}/models", headers=self._headers)
            response.raise_for_status()
            names = [str(entry["id"]) for entry in response.json()["data"]]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise self._error(error) from error
        return [name for name in names if name != self.name]

    def prompt_capacity(self, checkpoint: str | None) -> int:
        """The window as it was set."""
        return self.window

    def identity(self, checkpoint: str | None) -> str | None:
        """Unknown: the model behind a name may change at any time."""
        return None

    def system_prompt(self, checkpoint: str | None) -> str:
        """Unknown here: the endpoint keeps it, if it has one."""
        return ""

    def stream(
        self,
        messages: Sequence[Message],
        *,
        checkpoint: str | None = None,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[str]:
        """The answer in pieces. Raises EngineError."""
        body = self._body(messages, checkpoint, max_new_tokens) | {
            "stream": True,
            "temperature": temperature,
            "top_p": top_p,
        }
        if seed is not None:
            body["seed"] = seed
        try:
            with self._client.stream(
                "POST", f"{self._url}/chat/completions", json=body, headers=self._headers
            ) as response:
                if response.is_error:
                    response.read()
                    response.raise_for_status()
                for line in response.iter_lines():
                    if stop is not None and stop.is_set():
                        return
                    yield from _piece(line)
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            raise self._error(error) from error

    def complete(
        self,
        batch: Sequence[Sequence[Message]],
        *,
        checkpoint: str | None = None,
        max_new_tokens: int = 64,
    ) -> list[str]:
        """Greedy answers to many prompts, several requests at once. Raises EngineError."""

        def answer(messages: Sequence[Message]) -> str:
            return "".join(self.stream(messages, checkpoint=checkpoint, max_new_tokens=max_new_tokens))

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(answer, batch))

    def encode(self, text: str) -> list[int]:
        """Never: the endpoint keeps its tokenizer to itself."""
        raise EngineError(
            f"The tokenizer of {self.name} at {self._url} is out of reach; count_text estimates instead."
        )

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """An estimate of the prompt's tokens."""
        return sum(self.count_text(message["content"]) + _TOKENS_AROUND_A_MESSAGE for message in messages)

    def count_text(self, text: str) -> int:
        """An estimate of a text's tokens."""
        wide = len(_WIDE.findall(text))
        return wide + (len(text) - wide + 3) // 4

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _body(
        self, messages: Sequence[Message], checkpoint: str | None, max_new_tokens: int
    ) -> dict[str, Any]:
        return {"model": checkpoint or self.name, "messages": list(messages), "max_tokens": max_new_tokens}

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


def _piece(line: str) -> Iterator[str]:
    """The text in one line of a server-sent event stream, if it holds any."""
    if not line.startswith("data:"):
        return
    data = line.removeprefix("data:").strip()
    if data == "[DONE]" or not data:
        return
    choices = json.loads(data)["choices"]
    text = choices[0].get("delta", {}).get("content") if choices else None
    if text:
        yield text
