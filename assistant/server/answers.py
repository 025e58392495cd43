"""Answers for HTTP clients: several at once, streamed or whole, ended where the client goes away.

In which form a client reads them is decided by the routes (`chat`, `completions`, `responses`).
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fastapi import Request
from langchain_core.messages import AIMessageChunk, BaseMessage

from assistant.engines.base import Engine
from assistant.engines.langchain_model import ImprintChatModel
from assistant.engines.opening import answering_at_once
from assistant.server.openai_errors import UnknownModelError
from assistant.workspace import Workspace

DEFAULT_TOKENS = 512
_POLL_SECONDS = 0.1  # how soon it is noticed that a client has gone

T = TypeVar("T")


class SharedEngine:
    """The engine of a workspace, where answers that are asked for at the same time are written at the same time."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._known: tuple[Engine, Engine] | None = None

    def __call__(self) -> Engine:
        """The engine, opened on the first call. Raises EngineError."""
        opened = self._workspace.engine()
        with self._lock:
            if self._known is None or self._known[0] is not opened:
                self._known = (opened, answering_at_once(opened))
            return self._known[1]


def check_model(engine: Engine, name: str) -> str | None:
    """The checkpoint of this name, or None for the base. Raises UnknownModelError."""
    if name in ("", engine.name):
        return None
    checkpoints = engine.checkpoints()
    if name not in checkpoints:
        known = ", ".join([engine.name, *checkpoints])
        raise UnknownModelError(f"There is no model {name!r}. There are: {known}.")
    return name


async def until_gone(request: Request, answer: "asyncio.Future[T]", gone: threading.Event) -> T:
    """The answer; where the client goes away before it is there, `gone` is set."""
    while not answer.done():
        await asyncio.wait({answer}, timeout=_POLL_SECONDS)
        if not answer.done() and await request.is_disconnected():
            gone.set()
    return answer.result()


@dataclass
class Asked:
    """What a client asked for: one prompt, and one or several answers to it."""

    model: ImprintChatModel
    prompt: Sequence[BaseMessage]
    options: dict[str, Any]
    choices: int = 1
    seed_of: Callable[[int], int | None] = lambda choice: None
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.checkpoint or self.model.engine.name

    async def stream(self, choice: int = 0) -> AsyncIterator[AIMessageChunk]:
        """One answer as it is written. Raises what the model raises."""
        chunks = self.model.astream(
            list(self.prompt), seed=self.seed_of(choice), cancel=self.gone, **self.options
        )
        async with aclosing(chunks):  # type: ignore[type-var]
            async for chunk in chunks:
                assert isinstance(chunk, AIMessageChunk)
                yield chunk

    async def whole(self, request: Request) -> list[AIMessageChunk]:
        """All answers, once they are written; a client that goes away ends them."""
        answers = asyncio.gather(*(self._one(choice) for choice in range(self.choices)))
        return await until_gone(request, answers, self.gone)

    async def begun(self, request: Request) -> "Begun":
        """The first answer with its first chunk at hand: an error before that still has a status of its own."""
        chunks = self.stream(0)
        first: asyncio.Future[AIMessageChunk] = asyncio.ensure_future(anext(chunks))
        return Begun(self, await until_gone(request, first, self.gone), chunks)

    async def _one(self, choice: int) -> AIMessageChunk:
        whole: AIMessageChunk | None = None
        async for chunk in self.stream(choice):
            whole = chunk if whole is None else whole + chunk
        assert whole is not None
        return whole


@dataclass
class Begun:
    """Answers of which the first has begun."""

    asked: Asked
    _first: AIMessageChunk
    _rest: AsyncIterator[AIMessageChunk]

    def chunks(self) -> AsyncIterator[tuple[int, AIMessageChunk]]:
        """The chunks of all answers as they come, each with the number of its answer."""
        others = [self.asked.stream(choice) for choice in range(1, self.asked.choices)]
        return at_once([self._whole_first(), *others])

    async def _whole_first(self) -> AsyncIterator[AIMessageChunk]:
        yield self._first
        async for chunk in self._rest:
            yield chunk


async def at_once(streams: Sequence[AsyncIterator[T]]) -> AsyncIterator[tuple[int, T]]:
    """What all streams yield, as it comes, with the number of the stream. The first error of one ends all of them."""
    ready: asyncio.Queue[tuple[int, T] | Exception | None] = asyncio.Queue(1)

    async def pass_on(number: int, stream: AsyncIterator[T]) -> None:
        try:
            async for one in stream:
                await ready.put((number, one))
        except Exception as error:  # raised where the streams are read
            await ready.put(error)
        else:
            await ready.put(None)

    tasks = [asyncio.create_task(pass_on(number, stream)) for number, stream in enumerate(streams)]
    try:
        running = len(tasks)
        while running:
            found = await ready.get()
            if found is None:
                running -= 1
            elif isinstance(found, Exception):
                raise found
            else:
                yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def usage_of(answers: Sequence[AIMessageChunk]) -> dict[str, Any]:
    """The prompt counts once, however many answers it got."""
    usages = [answer.usage_metadata for answer in answers if answer.usage_metadata]
    read, written = usages[0]["input_tokens"], sum(usage["output_tokens"] for usage in usages)
    reasoned = sum(usage.get("output_token_details", {}).get("reasoning", 0) for usage in usages)
    details = {"completion_tokens_details": {"reasoning_tokens": reasoned}} if reasoned else {}
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written, **details}
