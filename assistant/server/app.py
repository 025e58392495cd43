"""The OpenAI-compatible HTTP server: models, chat completions, embeddings, fine-tuning.

The base model is the first of the models, and each checkpoint is a model of its own. The server stores no
conversations; who may use it is decided in front of it, by `assistant.web`.
"""

import base64
import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any, Literal

import numpy as np
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from langchain_core.messages import AIMessage, AIMessageChunk
from pydantic import BaseModel, ConfigDict, Field

from assistant.engines.base import Engine
from assistant.engines.langchain_model import ImprintChatModel
from assistant.errors import KNOWN_ERRORS, AssistantError, EngineError, sentence_of
from assistant.server.files import FileTooLargeError, UnknownFileError
from assistant.server.fine_tuning import tuning_router
from assistant.workspace import Workspace
from knowledge.errors import KnowledgeError
from tuning.errors import JobError

_DEFAULT_TOKENS = 512


class ContentPart(BaseModel):
    """A part of a message's content; only text is accepted."""

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """One message of a prompt."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[ContentPart]

    def to_langchain(self) -> tuple[str, str]:
        """The (role, text) form that LangChain accepts as a message."""
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return ("system" if self.role == "developer" else self.role, text)


class StreamOptions(BaseModel):
    """Options of a streamed completion."""

    include_usage: bool = False


class EmbeddingRequest(BaseModel):
    """The body of an embeddings request; `model` has no effect: documents are indexed with one embedding model."""

    model_config = ConfigDict(extra="ignore")

    input: str | list[str]
    encoding_format: Literal["float", "base64"] = "float"

    def encoded(self, vector: list[float]) -> list[float] | str:
        """A vector as numbers or, as OpenAI's client asks for it, as their float32 bytes in base64."""
        if self.encoding_format == "float":
            return vector
        return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode("ascii")


class ChatRequest(BaseModel):
    """The body of a chat completion; other fields have no effect."""

    model_config = ConfigDict(extra="ignore")

    model: str = ""
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float = Field(0.0, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    seed: int | None = None
    stop: str | list[str] | None = None
    n: Literal[1] = 1


def create_app(workspace: Workspace) -> FastAPI:
    """The server over a workspace, whose model is opened by the first request that needs it."""
    app = FastAPI(title="Imprint", docs_url=None, redoc_url=None)

    async def known_error(request: Request, error: Exception) -> JSONResponse:
        status = _status(error)
        return JSONResponse({"error": _error(error, status)}, status)

    for kind in KNOWN_ERRORS:
        app.exception_handler(kind)(known_error)

    @app.exception_handler(RequestValidationError)
    async def invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:]) or "body"
        return JSONResponse({"error": _error(f"{place}: {first['msg']}", 400)}, 400)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok", "engine": workspace.engine_state}

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        engine = workspace.engine()
        parents = {engine.name: None, **dict.fromkeys(engine.checkpoints(), engine.name)}
        entries = [
            {"id": name, "object": "model", "created": 0, "owned_by": "imprint", "parent": parent}
            for name, parent in parents.items()
        ]
        return {"object": "list", "data": entries}

    @app.post("/v1/chat/completions", response_model=None)
    def complete(body: ChatRequest) -> dict[str, Any] | StreamingResponse:
        model = _model(workspace.engine(), body)
        prompt = [message.to_langchain() for message in body.messages]
        name = model.checkpoint or model.engine.name
        identity = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": name}
        if body.stream:
            events = _events(model, prompt, identity, body.stream_options.include_usage)
            return StreamingResponse(events, media_type="text/event-stream")
        return _completion(model.invoke(prompt), identity)

    @app.post("/v1/embeddings")
    def embed(body: EmbeddingRequest) -> dict[str, Any]:
        texts = [body.input] if isinstance(body.input, str) else body.input
        vectors = workspace.embeddings.embed_documents(texts)
        data = [
            {"object": "embedding", "index": index, "embedding": body.encoded(vector)}
            for index, vector in enumerate(vectors)
        ]
        tokens = sum(workspace.embeddings.count_tokens(texts))
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "model": workspace.settings.embedding_model, "data": data, "usage": usage}

    app.include_router(tuning_router(workspace))
    return app


class UnknownModelError(AssistantError):
    """A request names a model that is neither the base nor one of its checkpoints."""


# The HTTP status of an error; the first kind that matches counts. All others are the request's fault: 400.
_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (UnknownModelError, 404),
    (UnknownFileError, 404),
    (FileTooLargeError, 413),
    (JobError, 404),
    (EngineError, 500),
    (KnowledgeError, 500),
    (OSError, 500),
)


def _model(engine: Engine, body: ChatRequest) -> ImprintChatModel:
    checkpoints = engine.checkpoints()
    if body.model and body.model != engine.name and body.model not in checkpoints:
        known = ", ".join([engine.name, *checkpoints])
        raise UnknownModelError(f"There is no model {body.model!r}. There are: {known}.")
    return ImprintChatModel(
        engine=engine,
        checkpoint=body.model if body.model in checkpoints else None,
        temperature=body.temperature,
        top_p=body.top_p,
        seed=body.seed,
        max_tokens=body.max_completion_tokens or body.max_tokens or _DEFAULT_TOKENS,
        stop=[body.stop] if isinstance(body.stop, str) else body.stop,
    )


def _completion(message: AIMessage, identity: dict[str, Any]) -> dict[str, Any]:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": message.text},
        "finish_reason": message.response_metadata["finish_reason"],
        "logprobs": None,
    }
    return {**identity, "object": "chat.completion", "choices": [choice], "usage": _usage(message)}


async def _events(
    model: ImprintChatModel, prompt: list[tuple[str, str]], identity: dict[str, Any], with_usage: bool
) -> AsyncIterator[str]:
    """Server-sent events. The status is sent before the first one, so that a later error is an event too."""
    shared = {**identity, "object": "chat.completion.chunk"}
    yield _event({**shared, "choices": [_delta({"role": "assistant", "content": ""})]})
    end: AIMessageChunk | None = None
    try:
        async for chunk in model.astream(prompt):
            if chunk.text:
                yield _event({**shared, "choices": [_delta({"content": chunk.text})]})
            if chunk.response_metadata.get("finish_reason"):
                end = chunk
    except KNOWN_ERRORS as error:
        yield _event({"error": _error(error, _status(error))})
        return
    reason = end.response_metadata["finish_reason"] if end else "stop"
    yield _event({**shared, "choices": [_delta({}, reason)]})
    if with_usage and end is not None:
        yield _event({**shared, "choices": [], "usage": _usage(end)})
    yield "data: [DONE]\n\n"


def _delta(delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": reason}


def _event(record: dict[str, Any]) -> str:
    return f"data: {json.dumps(record, ensure_ascii=False)}\n\n"


def _usage(message: AIMessage) -> dict[str, int]:
    usage = message.usage_metadata
    assert usage is not None  # the chat model reports it with every answer
    return {
        "prompt_tokens": usage["input_tokens"],
        "completion_tokens": usage["output_tokens"],
        "total_tokens": usage["total_tokens"],
    }


def _status(error: Exception) -> int:
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)


def _error(error: Exception | str, status: int) -> dict[str, Any]:
    """OpenAI's error object."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    is_model = isinstance(error, UnknownModelError)
    return {
        "message": error if isinstance(error, str) else sentence_of(error),
        "type": kind,
        "param": "model" if is_model else None,
        "code": "model_not_found" if is_model else None,
    }
