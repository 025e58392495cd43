"""A LangChain chat model over an engine: streaming, async, usage, stop sequences, exact token counts.

Tool calling and structured output are not supported: a model of 135 million parameters can do neither.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence
from contextlib import aclosing, closing
from typing import Annotated, Any, Generic, TypeVar

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field, SkipValidation

from assistant.engines.base import Engine, SamplingParams
from assistant.errors import EngineError
from tuning.data.examples import Message
from tuning.models.stream_end import StreamEnd

Y = TypeVar("Y")
R = TypeVar("R")

_ROLES = {"system": "system", "human": "user", "ai": "assistant", "user": "user", "assistant": "assistant"}


class ImprintChatModel(BaseChatModel):
    """Answers with `engine`, through `checkpoint` when one is named.

    A call may name another model: `invoke(..., model="NAME")` answers with that checkpoint, or with the base
    when NAME is the engine's own. `cancel=threading.Event()` ends an answer early.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    engine: Annotated[Engine, SkipValidation] = Field(exclude=True, repr=False)
    checkpoint: str | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 256
    seed: int | None = None
    stop: list[str] | None = None
    streaming: bool = True

    @property
    def _llm_type(self) -> str:
        return "imprint"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.checkpoint or self.engine.name, "base": self.engine.name, **self.model_dump()}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop or self.stop, **kwargs)
        params["ls_provider"] = "imprint"
        params.setdefault("ls_model_name", self.checkpoint or self.engine.name)
        return params

    def get_token_ids(self, text: str) -> list[int]:
        """Token ids by the model's own tokenizer."""
        return self.engine.encode(text)

    def get_num_tokens(self, text: str) -> int:
        """Tokens of a bare text."""
        return self.engine.count_text(text)

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """Tokens of a prompt with the chat template around it; `tools` are not used by this model."""
        return self.engine.count_tokens(plain_messages(messages))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with closing(self._chunks(plain_messages(messages), stop, kwargs)) as chunks:
            for chunk in chunks:
                if run_manager is not None:
                    run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        cancel: threading.Event = kwargs.pop("cancel", None) or threading.Event()
        produced = self._chunks(plain_messages(messages), stop, {**kwargs, "cancel": cancel})
        async with aclosing(_in_a_thread(produced, cancel)) as chunks:
            async for chunk in chunks:
                if run_manager is not None:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        chunks = list(self._chunks(plain_messages(messages), stop, kwargs))
        last = chunks[-1].message
        message = AIMessage(
            content="".join(chunk.text for chunk in chunks),
            usage_metadata=last.usage_metadata if isinstance(last, AIMessageChunk) else None,
            response_metadata=last.response_metadata,
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _chunks(
        self, messages: list[Message], stop: list[str] | None, options: dict[str, Any]
    ) -> Generator[ChatGenerationChunk, None, None]:
        """Text as it comes, then one empty chunk with the usage and the finish reason.

        The engine's stream is closed before that last chunk, and wherever the consumer leaves: an engine may
        serve one stream at a time.
        """
        checkpoint = self._checkpoint(options.get("model"))
        text = ""
        with closing(
            self.engine.stream(
                messages, self._sampling(options), checkpoint=checkpoint, stop=options.get("cancel")
            )
        ) as stream:
            pieces = _Returning(cut_at_stops(stream, stop or self.stop or ()))
            for piece in pieces:
                text += piece
                yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
            end = pieces.returned
        if end is None:  # a stop sequence came first
            end = StreamEnd("stop", self.engine.count_text(text))
        yield self._last_chunk(self.engine.count_tokens(messages), end, checkpoint)

    def _sampling(self, options: dict[str, Any]) -> SamplingParams:
        given = {name: value for name, value in options.items() if value is not None}
        return SamplingParams(
            given.get("max_tokens", self.max_tokens),
            given.get("temperature", self.temperature),
            given.get("top_p", self.top_p),
            given.get("seed", self.seed),
        )

    def _last_chunk(self, read: int, end: StreamEnd, checkpoint: str | None) -> ChatGenerationChunk:
        written = end.completion_tokens
        usage = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
        message = AIMessageChunk(
            content="",
            chunk_position="last",
            usage_metadata=usage,
            response_metadata={
                "model_name": checkpoint or self.engine.name,
                "model_provider": "imprint",
                "finish_reason": end.finish_reason,
            },
        )
        return ChatGenerationChunk(message=message)

    def _checkpoint(self, model: str | None) -> str | None:
        if model is None:
            return self.checkpoint
        return None if model == self.engine.name else model


def plain_messages(messages: Sequence[BaseMessage]) -> list[Message]:
    """LangChain messages as `{"role", "content"}`. Raises EngineError for what is not text."""
    plain = []
    for message in messages:
        role = _ROLES.get(message.role if message.type == "chat" else message.type)  # type: ignore[attr-defined]
        if role is None:
            raise EngineError(
                f"The model reads system, user and assistant messages; a {message.type!r} message was given."
            )
        other = [block["type"] for block in message.content_blocks if block["type"] != "text"]
        if other:
            raise EngineError(f"The model reads text; a message holds {', '.join(sorted(set(other)))}.")
        plain.append({"role": role, "content": message.text})
    return plain


class _Returning(Generic[Y, R]):
    """Iterates over a generator and keeps what it returned."""

    def __init__(self, generator: Generator[Y, None, R]) -> None:
        self._generator = generator

    def __iter__(self) -> Iterator[Y]:
        self.returned = yield from self._generator


def cut_at_stops(pieces: Generator[str, None, R], stops: Sequence[str]) -> Generator[str, None, R | None]:
    """The pieces up to the first of the stop sequences; what may begin one is held back until that is known.

    Returns what `pieces` returns, or None where a stop sequence was found.
    """
    held, source = "", _Returning(pieces)
    for piece in source:
        held += piece
        found = [held.index(stop) for stop in stops if stop in held]
        if found:
            if min(found):
                yield held[: min(found)]
            return None
        keep = max((_overlap(held, stop) for stop in stops), default=0)
        ready, held = held[: len(held) - keep], held[len(held) - keep :]
        if ready:
            yield ready
    if held:
        yield held
    return source.returned


def _overlap(text: str, stop: str) -> int:
    """How many of the last letters of `text` could be the first of `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)


async def _in_a_thread(
    chunks: Iterator[ChatGenerationChunk], cancel: threading.Event
) -> AsyncGenerator[ChatGenerationChunk, None]:
    """Iterate in a thread of its own; a consumer that leaves early sets `cancel` and waits for the thread."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[ChatGenerationChunk | BaseException | None] = asyncio.Queue()

    def produce() -> None:
        ending: BaseException | None = None
        try:
            for chunk in chunks:
                loop.call_soon_threadsafe(queue.put_nowait, chunk)
        except BaseException as error:
            ending = error
        loop.call_soon_threadsafe(queue.put_nowait, ending)

    producer = loop.run_in_executor(None, produce)
    ended = False
    try:
        while not ended:
            item = await queue.get()
            ended = not isinstance(item, ChatGenerationChunk)
            if isinstance(item, BaseException):
                raise item
            if item is not None:
                yield item
    finally:
        if not ended:  # the consumer left
            cancel.set()
        await producer
