"""Chat completions: OpenAI's form of an answer, whole or as server-sent events."""

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
from assistant.server.answers import DEFAULT_TOKENS, Asked, Begun, SharedEngine, check_model, usage_of
from assistant.server.events import DONE, EVENT_STREAM, event
from assistant.server.fields import STANDARD_TIER
from assistant.server.openai_errors import error_object, status_of
from assistant.server.requests import ChatRequest


def chat_router(engine: SharedEngine) -> APIRouter:
    """The route over an engine that is opened by the first request."""
    router = APIRouter(prefix="/v1")

    @router.post("/chat/completions", response_model=None)
    async def complete(body: ChatRequest, request: Request) -> dict[str, Any] | StreamingResponse:
        asked = await asyncio.to_thread(_asked, engine, body)
        identity = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": asked.name}
        if body.service_tier:
            identity["service_tier"] = STANDARD_TIER
        if body.stream:
            begun = await asked.begun(request)
            return StreamingResponse(_events(begun, body, identity), media_type=EVENT_STREAM)
        answers = await asked.whole(request)
        choices = [_choice(index, answer) for index, answer in enumerate(answers)]
        return {**identity, "object": "chat.completion", "choices": choices, "usage": usage_of(answers)}

    return router


def _asked(shared: SharedEngine, body: ChatRequest) -> Asked:
    engine = shared()
    model = ImprintChatModel(
        engine=engine,
        checkpoint=check_model(engine, body.model),
        temperature=body.temperature,
        top_p=body.top_p,
        max_tokens=body.max_completion_tokens or body.max_tokens or DEFAULT_TOKENS,
        stop=body.stops,
        frequency_penalty=body.frequency_penalty,
        presence_penalty=body.presence_penalty,
        logit_bias=body.logit_bias,
    )
    prompt = [message.to_langchain() for message in body.messages]
    return Asked(model, prompt, body.options, body.n, body.seed_of)


def _choice(index: int, answer: AIMessageChunk) -> dict[str, Any]:
    thoughts = answer.additional_kwargs.get("reasoning_content")
    calls = [_call(chunk) for chunk in answer.tool_call_chunks]
    message = {
        "role": "assistant",
        "content": answer.text or (None if calls else ""),
        "refusal": None,
        **({"reasoning_content": thoughts} if thoughts else {}),
        **({"tool_calls": calls} if calls else {}),
    }
    return {
        "index": index,
        "message": message,
        "finish_reason": answer.response_metadata["finish_reason"],
        "logprobs": _logprobs(answer),
    }


def _call(chunk: Any) -> dict[str, Any]:
    return {
        "id": chunk["id"],
        "type": "function",
        "function": {"name": chunk["name"], "arguments": chunk["args"]},
    }


def _logprobs(answer: AIMessageChunk) -> dict[str, Any] | None:
    found = answer.response_metadata.get("logprobs")
    return None if found is None else {"content": found["content"], "refusal": None}


async def _events(begun: Begun, body: ChatRequest, identity: dict[str, Any]) -> AsyncIterator[str]:
    """Server-sent events. The status was sent before the first one, so that a later error is an event too."""
    shared = {**identity, "object": "chat.completion.chunk"}
    if body.stream_options.include_usage:
        shared["usage"] = None
    ends: dict[int, AIMessageChunk] = {}  # the newest chunk of each answer
    try:
        async for index, chunk in begun.chunks():
            if index not in ends:  # its first
                ends[index] = chunk
                yield event({**shared, "choices": [_change(index, {"role": "assistant", "content": ""})]})
            for delta in _deltas(chunk):
                yield event({**shared, "choices": [_change(index, delta, _logprobs(chunk))]})
            if reason := chunk.response_metadata.get("finish_reason"):
                ends[index] = chunk
                yield event({**shared, "choices": [_change(index, {}, reason=reason)]})
    except KNOWN_ERRORS as error:
        yield event({"error": error_object(error, status_of(error))})
        return
    if body.stream_options.include_usage:
        yield event({**shared, "choices": [], "usage": usage_of(list(ends.values()))})
    yield DONE


def _deltas(chunk: AIMessageChunk) -> list[dict[str, Any]]:
    """What a chunk adds to the message."""
    if thoughts := chunk.additional_kwargs.get("reasoning_content"):
        return [{"reasoning_content": thoughts}]
    if chunk.tool_call_chunks:
        return [{"tool_calls": list(map(_call_delta, chunk.tool_call_chunks))}]
    return [{"content": chunk.text}] if chunk.text else []


def _call_delta(chunk: Any) -> dict[str, Any]:
    """The beginning of a call, with its name, or more of its arguments."""
    if chunk["name"]:
        return {"index": chunk["index"], **_call(chunk)}
    return {"index": chunk["index"], "function": {"arguments": chunk["args"]}}


def _change(
    index: int, delta: dict[str, Any], logprobs: dict[str, Any] | None = None, reason: str | None = None
) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
