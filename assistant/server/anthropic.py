"""Anthropic's `/v1/messages`: an answer, whole or as events, and the tokens of a prompt. Nothing is stored."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from langchain_core.messages import AIMessageChunk

from assistant.engines.langchain_model import ImprintChatModel
from assistant.errors import KNOWN_ERRORS
from assistant.server.answers import Asked, Begun, SharedEngine, check_model
from assistant.server.anthropic_blocks import ContentBlocks
from assistant.server.anthropic_requests import CountRequest, MessagesRequest
from assistant.server.events import EVENT_STREAM, event
from assistant.server.openai_errors import anthropic_error, status_of

_REASONS = {"tool_calls": "tool_use", "length": "max_tokens", "stop": "end_turn"}


def anthropic_router(engine: SharedEngine) -> APIRouter:
    """The routes over an engine that is opened by the first request."""
    router = APIRouter(prefix="/v1")

    @router.post("/messages", response_model=None)
    async def answer(body: MessagesRequest, request: Request) -> dict[str, Any] | StreamingResponse:
        asked = await asyncio.to_thread(_asked, engine, body)
        shared = {
            "id": f"msg_{uuid.uuid4().hex}",
            "type": "message",
            "role": "assistant",
            "model": asked.name,
        }
        if body.stream:
            read = await asyncio.to_thread(_tokens, asked)
            begun = await asked.begun(request)
            return StreamingResponse(_events(begun, shared, read), media_type=EVENT_STREAM)
        (whole,) = await asked.whole(request)
        blocks = ContentBlocks()
        _ = [*blocks.read(whole), *blocks.end()]
        return {**shared, "content": blocks.content, **_end(whole), "usage": _usage(whole)}

    @router.post("/messages/count_tokens")
    def count(body: CountRequest) -> dict[str, int]:
        opened = engine()
        model = ImprintChatModel(engine=opened, checkpoint=check_model(opened, body.model))
        return {"input_tokens": _tokens(_prompt(model, body))}

    return router


def _asked(shared: SharedEngine, body: MessagesRequest) -> Asked:
    engine = shared()
    model = ImprintChatModel(
        engine=engine,
        checkpoint=check_model(engine, body.model),
        temperature=body.temperature,
        top_p=body.top_p,
        max_tokens=body.max_tokens,
        stop=body.stops,
    )
    return _prompt(model, body)


def _prompt(model: ImprintChatModel, body: CountRequest) -> Asked:
    return Asked(model, [message.to_langchain() for message in body.chat], body.options)


def _tokens(asked: Asked) -> int:
    """Tokens of the prompt with the tools in it, before they are known from the answer."""
    return asked.model.get_num_tokens_from_messages(list(asked.prompt), asked.options["tools"])


def _end(last: AIMessageChunk) -> dict[str, Any]:
    """Why the answer ended."""
    if stop := last.response_metadata.get("stop_sequence"):
        return {"stop_reason": "stop_sequence", "stop_sequence": stop}
    return {"stop_reason": _REASONS[last.response_metadata["finish_reason"]], "stop_sequence": None}


def _usage(last: AIMessageChunk) -> dict[str, int]:
    usage = last.usage_metadata
    assert usage is not None
    return _counted(usage["input_tokens"], usage["output_tokens"])


def _counted(read: int, written: int) -> dict[str, int]:
    cached = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    return {"input_tokens": read, "output_tokens": written, **cached}


async def _events(begun: Begun, shared: dict[str, Any], read: int) -> AsyncIterator[str]:
    """The events of an answer. The status was sent before the first one, so that a later error is an event too."""

    def told(kind: str, more: dict[str, Any]) -> str:
        return event({"type": kind, **more}, kind)

    empty: dict[str, Any] = {
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _counted(read, 0),
    }
    yield told("message_start", {"message": {**shared, **empty}})
    blocks, last = ContentBlocks(), AIMessageChunk(content="")
    try:
        async for _, chunk in begun.chunks():
            last = chunk
            for kind, more in blocks.read(chunk):
                yield told(kind, more)
    except KNOWN_ERRORS as error:
        yield event(anthropic_error(error, status_of(error)), "error")
        return
    for kind, more in blocks.end():
        yield told(kind, more)
    yield told("message_delta", {"delta": _end(last), "usage": _usage(last)})
    yield told("message_stop", {})
