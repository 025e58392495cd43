"""Completions of a bare text, OpenAI's older form. No chat template stands around the prompt."""

import asyncio
import threading
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import BeforeValidator, Field, model_validator

from assistant.engines.answering import continued
from assistant.engines.base import SamplingParams, TextEngine
from assistant.engines.pieces import TokenLogprob
from assistant.engines.services import own_engine
from assistant.engines.stops import Returning
from assistant.engines.threads import in_a_thread
from assistant.errors import KNOWN_ERRORS
from assistant.server.answers import SharedEngine, at_once, check_model, until_gone
from assistant.server.events import DONE, EVENT_STREAM, event
from assistant.server.fields import WITHOUT_EFFECT, refuse_unsupported, storable
from assistant.server.openai_errors import UnsupportedParameterError, error_object, status_of
from assistant.server.requests import SamplingRequest

_DEFAULT_TOKENS = 16  # OpenAI's
_MOST_PROMPTS, _MOST_LOGPROBS = 16, 5
# Options that are not supported, with the values that ask for nothing.
_NEUTRAL: dict[str, tuple[Any, ...]] = {"best_of": (1,), "echo": (False,), "suffix": ("",)}


def _prompts(given: Any) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError("a text is needed, or a list of texts; ids of tokens are not read")
    if len(texts) > _MOST_PROMPTS:
        raise ValueError(f"at most {_MOST_PROMPTS} texts at once; {len(texts)} were given")
    if "" in texts:
        raise ValueError("a text to go on with is needed; an empty one was given")
    return [storable(text) for text in texts]


class CompletionRequest(SamplingRequest):
    """The body of a completion."""

    prompt: Annotated[list[str], BeforeValidator(_prompts, json_schema_input_type=str | list[str])]
    logprobs: int | None = Field(None, ge=0, le=_MOST_LOGPROBS)

    @model_validator(mode="before")
    @classmethod
    def _all_options_have_an_effect(cls, value: Any) -> Any:
        if isinstance(value, dict):
            refuse_unsupported(value, list(cls.model_fields), _NEUTRAL, WITHOUT_EFFECT)
        return value

    def sampling(self, choice: int) -> SamplingParams:
        """How the tokens of one of the choices are chosen."""
        return SamplingParams(
            self.max_tokens or _DEFAULT_TOKENS,
            self.temperature,
            self.top_p,
            self.seed_of(choice),
            self.frequency_penalty,
            self.presence_penalty,
            self.logit_bias,
            self.logprobs,
        )


@dataclass
class _Text:
    """One text that is being continued."""

    index: int
    written: str = ""
    tokens: list[TokenLogprob] = field(default_factory=list)
    reason: str | None = None
    count: int = 0

    def choice(self, text: str, tokens: Sequence[TokenLogprob], asked: int | None) -> dict[str, Any]:
        """OpenAI's choice object, of the whole or of a piece."""
        logprobs = None if asked is None else _logprobs(tokens, asked, len(self.written) - len(text))
        return {"text": text, "index": self.index, "logprobs": logprobs, "finish_reason": self.reason}


def completions_router(engine: SharedEngine) -> APIRouter:
    """The route over an engine that is opened by the first request."""
    router = APIRouter(prefix="/v1")

    @router.post("/completions", response_model=None)
    async def complete(body: CompletionRequest, request: Request) -> dict[str, Any] | StreamingResponse:
        opened = await asyncio.to_thread(engine)
        if not isinstance(own_engine(opened), TextEngine) or not isinstance(opened, TextEngine):
            raise UnsupportedParameterError(
                "prompt",
                "prompt: bare texts are continued by llama.cpp alone, and another engine is open. "
                "Use /v1/chat/completions.",
            )
        work = _Work(opened, body, check_model(opened, body.model))
        if body.stream:
            return StreamingResponse(work.events(), media_type=EVENT_STREAM)
        return await work.whole(request)

    return router


class _Work:
    """All texts of a request: each prompt, as often as choices are asked for."""

    def __init__(self, engine: TextEngine, body: CompletionRequest, checkpoint: str | None) -> None:
        self._engine, self._body, self._checkpoint = engine, body, checkpoint
        self._texts = [_Text(index) for index in range(len(body.prompt) * body.n)]
        self._gone = threading.Event()
        self._shared = {
            "id": f"cmpl-{uuid.uuid4().hex}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": checkpoint or engine.name,
        }

    async def whole(self, request: Request) -> dict[str, Any]:
        """The reply, once all is written; a client that goes away ends it."""
        await until_gone(request, asyncio.gather(*map(self._finish, self._texts)), self._gone)
        choices = [text.choice(text.written, text.tokens, self._body.logprobs) for text in self._texts]
        return {**self._shared, "choices": choices, "usage": self._usage()}

    async def events(self) -> AsyncIterator[str]:
        """Server-sent events of all texts as they come."""
        try:
            async for index, (piece, tokens) in at_once(list(map(self._pieces, self._texts))):
                change = self._texts[index].choice(piece, tokens, self._body.logprobs)
                yield event({**self._shared, "choices": [change]})
        except KNOWN_ERRORS as error:
            yield event({"error": error_object(error, status_of(error))})
            return
        if self._body.stream_options.include_usage:
            yield event({**self._shared, "choices": [], "usage": self._usage()})
        yield DONE

    async def _finish(self, text: _Text) -> None:
        async for _ in self._pieces(text):
            pass

    async def _pieces(self, text: _Text) -> AsyncIterator[tuple[str, Sequence[TokenLogprob]]]:
        """The pieces of a text, then an empty one with the reason of its end."""
        prompt = self._body.prompt[text.index // self._body.n]
        params = self._body.sampling(text.index % self._body.n)
        steps = Returning(
            continued(self._engine, prompt, params, self._checkpoint, self._body.stops or (), self._gone)
        )
        async for piece, tokens in in_a_thread(iter(steps), self._gone):
            text.written += piece
            text.tokens += tokens
            yield piece, tokens
        text.reason, text.count = steps.returned.finish_reason, steps.returned.completion_tokens
        yield "", ()

    def _usage(self) -> dict[str, int]:
        read = sum(map(self._engine.count_text, self._body.prompt))
        written = sum(text.count for text in self._texts)
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _logprobs(tokens: Sequence[TokenLogprob], asked: int, begin: int) -> dict[str, Any]:
    """The older form: a list of each member."""
    offsets, at = [], begin
    for token in tokens:
        offsets.append(at)
        at += len(token.text)
    return {
        "tokens": [token.text for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [{one.text: one.logprob for one in token.top[:asked]} for token in tokens],
        "text_offset": offsets,
    }
