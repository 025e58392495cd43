"""llama.cpp as an engine: a GGUF file as it is, low-rank adapters and prefixes, several answers at once.

Its process and the adapters in it are `llama_processes`, the prompts `llama_prompts`.
"""

import logging
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property
from typing import Any

from assistant.engines import llama_requests
from assistant.engines.base import GREEDY, SamplingParams
from assistant.engines.finding import find_checkpoint
from assistant.engines.llama_processes import LlamaProcesses
from assistant.engines.llama_server import EngineEndedError
from assistant.engines.many_streams import complete_by_streams
from assistant.engines.prompt_length import ids_that_fit
from assistant.errors import EngineError
from assistant.language.thinking import left_open
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.data.examples import Message
from tuning.errors import CheckpointError
from tuning.models.capability import capability
from tuning.models.gguf_adapter import why_not
from tuning.models.gguf_base import GgufBase
from tuning.models.stream_end import StreamEnd

log = logging.getLogger(__name__)


class LlamaEngine:
    """Answers with a GGUF model and the checkpoints of it that are low-rank adapters or prefixes."""

    reads_tools = False

    def __init__(self, base: GgufBase, registry: Registry) -> None:
        """Open the model. Raises EngineError."""
        self._base, self._registry = base, registry
        self._processes = LlamaProcesses(base)
        self._prompts = self._processes.prompts
        self.name = base.name
        self.window = min(base.window, self._processes.context)
        self.capability = capability(base.header.parameters)

    def pid(self, checkpoint: str | None = None) -> int:
        """The process that answers with a checkpoint. Raises EngineError."""
        return self._processes.pid(self._found(checkpoint))

    def label(self, checkpoint: str | None) -> str:
        """llama.cpp, and the bits of a weight."""
        return f"llama.cpp · {self._base.bits} bit" if self._base.bits else "llama.cpp"

    def why_not(self, checkpoint: str) -> str:
        """Why a checkpoint cannot be used here; empty where it can. Raises EngineError."""
        try:
            return why_not(self._find(checkpoint).path, self._base.header.architecture)
        except CheckpointError as error:
            raise EngineError(str(error)) from error

    def checkpoints(self) -> list[str]:
        """Checkpoints tuned from exactly this base, those of other methods too."""
        return [found.name for found in self._registry.answering() if found.base_sha256 == self._base.sha256]

    def prompt_capacity(self, checkpoint: str | None) -> int:
        """The window, less the positions that a prefix takes; loads the checkpoint. Raises EngineError."""
        with self._processes.use(self._found(checkpoint)) as running:
            return self.window - running.positions

    def identity(self, checkpoint: str | None) -> str | None:
        """The hash of the file, the engine and the id of the checkpoint. Raises EngineError."""
        own = "" if checkpoint is None else self._find(checkpoint).id
        return f"{self._base.sha256}/llama.cpp/{own}"

    def system_prompt(self, checkpoint: str | None) -> str:
        """The system prompt that a checkpoint was tuned with. Raises EngineError."""
        return "" if checkpoint is None else self._find(checkpoint).system_prompt

    def stream(
        self,
        messages: Sequence[Message],
        params: SamplingParams = GREEDY,
        *,
        checkpoint: str | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[str, None, StreamEnd]:
        """As `Engine.stream`. Raises EngineError, PromptTooLongError."""
        prompt = self._prompts.text(messages)
        thought = left_open(prompt)
        if thought and params.shape is None:
            yield f"<{thought}>\n"  # so that the answer tells its reasoning apart by itself
        elif thought:
            prompt += f"\n</{thought}>\n\n"  # an answer of a shape has no room for reasoning
        shape = params.shape
        if shape and shape.beginning:
            yield shape.beginning
            prompt += shape.beginning
        end = yield from self._write(prompt, params, checkpoint, stop)
        if shape and shape.ending and end.finish_reason == "stop":
            yield shape.ending
        return end

    def continue_text(
        self,
        text: str,
        params: SamplingParams = GREEDY,
        *,
        checkpoint: str | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[str, None, StreamEnd]:
        """As `TextEngine.continue_text`. Raises EngineError, PromptTooLongError."""
        return (yield from self._write(text, params, checkpoint, stop))

    def complete(
        self,
        batch: Sequence[Sequence[Message]],
        *,
        checkpoint: str | None = None,
        max_new_tokens: int = 64,
    ) -> list[str]:
        """Greedy answers to many prompts, the same each time. Raises EngineError, PromptTooLongError.

        One after the other: products of several rows round otherwise than those of one, and a small model changes
        its answer for less. On two cores several at once would be a quarter faster.
        """
        params = SamplingParams(max_new_tokens, reads_anew=True)
        return complete_by_streams(self, batch, checkpoint, params, at_once=1)

    def encode(self, text: str) -> list[int]:
        """Token ids of a bare text."""
        return self._prompts.encode(text)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt with the chat template and the generation prompt."""
        return len(self._prompts.ids(messages))

    def count_text(self, text: str) -> int:
        """Tokens of a bare text."""
        return len(self.encode(text))

    def close(self) -> None:
        """End the process, and the answers that it writes."""
        self._processes.close()

    def _write(
        self, prompt: str, params: SamplingParams, checkpoint: str | None, stop: threading.Event | None
    ) -> Generator[str, None, StreamEnd]:
        """What the model writes after a prompt; where its process had ended before a word, once more."""
        ids, room = self._ids(prompt, checkpoint)
        body = self._request(ids, room, params)
        begun = False
        while True:
            try:
                for item in self._events(body, checkpoint, stop):
                    if isinstance(item, StreamEnd):
                        return item
                    begun = True
                    yield item
            except EngineEndedError:
                if begun or not self._processes.may_start:
                    raise

    def _events(
        self, body: dict[str, Any], checkpoint: str | None, stop: threading.Event | None
    ) -> Generator[str | StreamEnd, None, None]:
        """The pieces of an answer, then how it ended."""
        found, written = self._found(checkpoint), 0
        with (
            self._processes.use(found) as running,
            self._in_use(checkpoint),
            running.prepared(body) as prepared,
        ):
            for event in running.server.stream("/completion", prepared, stop):
                written = int(event.get("tokens_predicted", written))
                if event.get("content"):
                    yield llama_requests.piece(event)
                if event.get("stop"):
                    yield _end(event)
                    return
        yield StreamEnd("stop", written)

    def _ids(self, prompt: str, checkpoint: str | None) -> tuple[list[int], int]:
        """The ids of a prompt, and how many tokens its answer may have. Raises PromptTooLongError."""
        most = self.prompt_capacity(checkpoint)
        ids = ids_that_fit(self.encode, prompt, most, checkpoint or self.name)
        return ids, most - len(ids)

    def _request(self, ids: list[int], room: int, params: SamplingParams) -> dict[str, Any]:
        """The body of a request. Raises UnsupportedOptionError, EngineError."""
        if params.shape is not None:
            self._require_grammars()
        return {
            "prompt": ids,
            "n_predict": min(params.max_new_tokens, room),
            "cache_prompt": not params.reads_anew,
            **llama_requests.sampling(
                params, int(self._base.header.fields["tokenizer.ggml.tokens"]), self.window
            ),
        }

    def _require_grammars(self) -> None:
        """Raises EngineError where this llama.cpp follows no grammar, of which it would say nothing."""
        if not self._follows_grammars:
            raise EngineError(
                "This llama.cpp was built without llguidance, so it can hold an answer to no shape. Install "
                "xllamacpp from its wheel, or set the engine to torch in the settings."
            )

    @cached_property
    def _follows_grammars(self) -> bool:
        with self._processes.use(None) as running:
            proof = llama_requests.grammar_proof(self.encode("No."))
            return bool(running.server.post("/completion", proof)["content"] == llama_requests.WORD)

    @contextmanager
    def _in_use(self, checkpoint: str | None) -> Iterator[None]:
        """Inside, the checkpoint is neither deleted nor renamed."""
        held = self._registry.hold(checkpoint, "an answer is being written with it") if checkpoint else None
        with held or nullcontext():
            yield

    def _found(self, name: str | None) -> Checkpoint | None:
        return None if name is None else self._find(name)

    def _find(self, name: str) -> Checkpoint:
        return find_checkpoint(self._registry, name, self.name, self._base.sha256)


def _end(event: dict[str, Any]) -> StreamEnd:
    """How an answer ended, from llama.cpp's last event, which counts the end-of-turn token as well."""
    kind, written = event.get("stop_type"), int(event["tokens_predicted"])
    return StreamEnd("length" if kind == "limit" else "stop", written - (kind == "eos"))
