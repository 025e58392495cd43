"""`/v1/responses`: OpenAI's newer form of an answer, whole or as server-sent events. Nothing is stored."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from langchain_core.messages import AIMessageChunk

from assistant.engines.langchain_model import ImprintChatModel
from assistant.errors import KNOWN_ERRORS
from assistant.server.answers import DEFAULT_TOKENS, Asked, Begun, SharedEngine, check_model
from assistant.server.events import EVENT_STREAM, event
from assistant.server.fields import STANDARD_TIER
from assistant.server.openai_errors import error_object, status_of
from assistant.server.response_items import OutputItems
from assistant.server.response_requests import ResponseRequest


def responses_router(engine: SharedEngine) -> APIRouter:
    """The route over an engine that is opened by the first request."""
    router = APIRouter(prefix="/v1")

    @router.post("/responses", response_model=None)
    async def respond(body: ResponseRequest, request: Request) -> dict[str, Any] | StreamingResponse:
        asked = await asyncio.to_thread(_asked, engine, body)
        shared = _shared(asked, body)
        if body.stream:
            begun = await asked.begun(request)
            return StreamingResponse(_events(begun, shared), media_type=EVENT_STREAM)
        (answer,) = await asked.whole(request)
        items = OutputItems()
        for _ in items.read(answer):
            pass
        for _ in items.end():
            pass
        return _ended(shared, items, answer)

    return router


def _asked(shared: SharedEngine, body: ResponseRequest) -> Asked:
    engine = shared()
    model = ImprintChatModel(
        engine=engine,
        checkpoint=check_model(engine, body.model),
        temperature=body.temperature,
        top_p=body.top_p,
        max_tokens=body.max_output_tokens or DEFAULT_TOKENS,
    )
    return Asked(model, [message.to_langchain() for message in body.messages], body.options)


def _shared(asked: Asked, body: ResponseRequest) -> dict[str, Any]:
    """What a response says from its beginning to its end."""
    return {
        "id": f"resp_{uuid.uuid4().hex}",
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "model": asked.name,
        "output": [],
        "error": None,
        "incomplete_details": None,
        "instructions": body.instructions,
        "max_output_tokens": body.max_output_tokens,
        "metadata": body.metadata,
        "parallel_tool_calls": body.parallel_tool_calls,
        "previous_response_id": None,
        "store": False,
        "temperature": body.temperature,
        "top_p": body.top_p,
        "text": body.text.model_dump(exclude_none=True),
        "tool_choice": body.tool_choice or "auto",
        "tools": body.tools,
        "truncation": "disabled",
        "usage": None,
        **({"service_tier": STANDARD_TIER} if body.service_tier else {}),
    }


def _ended(shared: dict[str, Any], items: OutputItems, last: AIMessageChunk) -> dict[str, Any]:
    """The whole response."""
    was_cut = last.response_metadata.get("finish_reason") == "length"
    return {
        **shared,
        "status": "incomplete" if was_cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if was_cut else None,
        "output": items.output,
        "usage": _usage(last),
    }


def _usage(last: AIMessageChunk) -> dict[str, Any]:
    usage = last.usage_metadata
    assert usage is not None
    return {
        "input_tokens": usage["input_tokens"],
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": usage["output_tokens"],
        "output_tokens_details": {
            "reasoning_tokens": usage.get("output_token_details", {}).get("reasoning", 0)
        },
        "total_tokens": usage["total_tokens"],
    }


async def _events(begun: Begun, shared: dict[str, Any]) -> AsyncIterator[str]:
    """The events of a response, numbered in their order."""
    number = 0

    def numbered(kind: str, told: dict[str, Any]) -> str:
        nonlocal number
        number += 1
        return event({"type": kind, "sequence_number": number - 1, **told}, kind)

    for kind in ("response.created", "response.in_progress"):
        yield numbered(kind, {"response": shared})
    items, last = OutputItems(), AIMessageChunk(content="")
    try:
        async for _, chunk in begun.chunks():
            last = chunk
            for kind, told in items.read(chunk):
                yield numbered(kind, told)
    except KNOWN_ERRORS as error:
        found = error_object(error, status_of(error))
        failed = {
            **shared,
            "status": "failed",
            "error": {"code": "server_error", "message": found["message"]},
        }
        yield numbered("response.failed", {"response": failed})
        return
    for kind, told in items.end():
        yield numbered(kind, told)
    ended = _ended(shared, items, last)
    yield numbered(f"response.{ended['status']}", {"response": ended})
