"""The OpenAI-compatible HTTP server: models, chat completions, embeddings, fine-tuning.

The base model is the first of the models, and each checkpoint is a model of its own. The server stores no
conversations; who may use it is decided in front of it, by `assistant.web`.
"""

import asyncio
import json
import threading
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from langchain_core.messages import AIMessage, AIMessageChunk

from assistant.engines.base import Engine
from assistant.engines.langchain_model import ImprintChatModel
from assistant.errors import KNOWN_ERRORS
from assistant.server.fine_tuning import tuning_router
from assistant.server.openai_errors import (
    UnknownModelError,
    UnsupportedParameterError,
    error_object,
    status_of,
    tell_errors,
)
from assistant.server.requests import ChatRequest, EmbeddingRequest
from assistant.workspace import Workspace

_DEFAULT_TOKENS = 512
_POLL_SECONDS = 0.25  # how soon it is noticed that a client has gone


def create_app(workspace: Workspace) -> FastAPI:
    """The server over a workspace, whose model is opened by the first request that needs it."""
    app = FastAPI(title="Imprint", docs_url=None, redoc_url=None)
    tell_errors(app)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok", "engine": workspace.engine_state}

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": _models(workspace.engine())}

    @app.get("/v1/models/{name:path}")
    def model(name: str) -> dict[str, Any]:
        engine = workspace.engine()
        _check_model(engine, name)
        return next(one for one in _models(engine) if one["id"] == name)

    @app.post("/v1/chat/completions", response_model=None)
    async def complete(body: ChatRequest, request: Request) -> dict[str, Any] | StreamingResponse:
        model = _model(await asyncio.to_thread(workspace.engine), body)
        name = model.checkpoint or model.engine.name
        identity = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": name}
        if body.stream:
            return StreamingResponse(_events(model, body, identity), media_type="text/event-stream")
        return _completion(await _answers(model, body, request), identity)

    @app.post("/v1/embeddings")
    def embed(body: EmbeddingRequest) -> dict[str, Any]:
        vectors = workspace.embeddings.embed_documents(body.input)
        if body.dimensions not in (None, len(vectors[0])):
            raise UnsupportedParameterError(
                "dimensions", f"dimensions: the vectors have {len(vectors[0])}, and cannot be shortened."
            )
        data = [
            {"object": "embedding", "index": index, "embedding": body.encoded(vector)}
            for index, vector in enumerate(vectors)
        ]
        tokens = sum(workspace.embeddings.count_tokens(body.input))
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "model": workspace.settings.embedding_model, "data": data, "usage": usage}

    app.include_router(tuning_router(workspace))
    return app


def _models(engine: Engine) -> list[dict[str, Any]]:
    parents = {engine.name: None, **dict.fromkeys(engine.checkpoints(), engine.name)}
    return [
        {"id": name, "object": "model", "created": 0, "owned_by": "imprint", "parent": parent}
        for name, parent in parents.items()
    ]


def _check_model(engine: Engine, name: str) -> None:
    if name != engine.name and name not in engine.checkpoints():
        known = ", ".join([engine.name, *engine.checkpoints()])
        raise UnknownModelError(f"There is no model {name!r}. There are: {known}.")


def _model(engine: Engine, body: ChatRequest) -> ImprintChatModel:
    if body.model:
        _check_model(engine, body.model)
    return ImprintChatModel(
        engine=engine,
        checkpoint=body.model if body.model in engine.checkpoints() else None,
        temperature=body.temperature,
        top_p=body.top_p,
        max_tokens=body.max_completion_tokens or body.max_tokens or _DEFAULT_TOKENS,
        stop=body.stops,
    )


async def _answers(model: ImprintChatModel, body: ChatRequest, request: Request) -> list[AIMessage]:
    """All choices of an answer that is not streamed; a client that goes away ends it."""
    gone = threading.Event()
    prompt = [message.to_langchain() for message in body.messages]

    def answers() -> list[AIMessage]:
        return [model.invoke(prompt, seed=body.seed_of(choice), cancel=gone) for choice in range(body.n)]

    answering = asyncio.ensure_future(asyncio.to_thread(answers))
    while not answering.done():
        await asyncio.wait({answering}, timeout=_POLL_SECONDS)
        if not answering.done() and await request.is_disconnected():
            gone.set()
    return answering.result()


def _completion(messages: list[AIMessage], identity: dict[str, Any]) -> dict[str, Any]:
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": message.text, "refusal": None},
            "finish_reason": message.response_metadata["finish_reason"],
            "logprobs": None,
        }
        for index, message in enumerate(messages)
    ]
    return {**identity, "object": "chat.completion", "choices": choices, "usage": _usage(messages)}


async def _events(model: ImprintChatModel, body: ChatRequest, identity: dict[str, Any]) -> AsyncIterator[str]:
    """Server-sent events. The status is sent before the first one, so that a later error is an event too."""
    shared = {**identity, "object": "chat.completion.chunk"}
    prompt = [message.to_langchain() for message in body.messages]
    ends: list[AIMessageChunk] = []
    for index in range(body.n):
        yield _event({**shared, "choices": [_delta(index, {"role": "assistant", "content": ""})]})
        try:
            async for chunk in model.astream(prompt, seed=body.seed_of(index)):
                if chunk.text:
                    yield _event({**shared, "choices": [_delta(index, {"content": chunk.text})]})
                if chunk.response_metadata.get("finish_reason"):
                    ends.append(chunk)
        except KNOWN_ERRORS as error:
            yield _event({"error": error_object(error, status_of(error))})
            return
        reason = ends[-1].response_metadata["finish_reason"] if ends else "stop"
        yield _event({**shared, "choices": [_delta(index, {}, reason)]})
    if body.stream_options.include_usage and ends:
        yield _event({**shared, "choices": [], "usage": _usage(ends)})
    yield "data: [DONE]\n\n"


def _delta(index: int, delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": reason}


def _event(record: dict[str, Any]) -> str:
    return f"data: {json.dumps(record, ensure_ascii=False)}\n\n"


def _usage(messages: list[AIMessage] | list[AIMessageChunk]) -> dict[str, int]:
    """The prompt counts once, however many answers it got."""
    usages = [message.usage_metadata for message in messages if message.usage_metadata]
    read, written = usages[0]["input_tokens"], sum(usage["output_tokens"] for usage in usages)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
