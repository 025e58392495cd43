"""Embeddings: texts, or token ids of a tokenizer that clients of OpenAI use, as vectors."""

import asyncio
import base64
import threading
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Request
from langchain_core.embeddings import Embeddings
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from assistant.server.answers import until_gone
from assistant.server.fields import filled, refuse_unsupported, storable
from assistant.server.openai_errors import UnsupportedParameterError
from assistant.workspace import Workspace

_MOST_TEXTS = 2048
_MOST_TOKENS = 300_000  # of all texts of a request together, as OpenAI has it
_TEXTS_AT_ONCE = 32  # then it is looked whether the client is still there
_SPECIAL_TOKENS = 2  # around a text
_CHARACTERS_A_TOKEN = 100  # at the most: the rest of a text need not be looked at


def _texts(given: Any) -> list[str]:
    """The texts of an embedding request's `input`."""
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts:
        raise ValueError("a text is needed, or a list with at least one")
    if len(texts) > _MOST_TEXTS:
        raise ValueError(f"at most {_MOST_TEXTS} texts at once; {len(texts)} were given")
    if any(text is None or isinstance(text, dict) for text in texts):
        raise ValueError("each input is a text; null or an object was given")
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(
            "text is needed: token numbers of another model's tokenizer mean nothing here. LangChain's "
            "OpenAIEmbeddings sends text with check_embedding_ctx_length=False."
        )
    return [storable(text) for text in texts]


class EmbeddingRequest(BaseModel):
    """The body of an embeddings request."""

    model_config = ConfigDict(extra="ignore")

    input: Annotated[list[str], BeforeValidator(_texts, json_schema_input_type=str | list[str])]
    model: Annotated[str, filled("")] = ""
    encoding_format: Annotated[Literal["float", "base64"], filled("float")] = "float"
    dimensions: int | None = Field(None, ge=1)
    user: str | None = None  # without effect

    @model_validator(mode="before")
    @classmethod
    def _all_options_have_an_effect(cls, value: Any) -> Any:
        if isinstance(value, dict):
            refuse_unsupported(value, list(cls.model_fields), {}, set())
        return value

    def encoded(self, vector: list[float]) -> list[float] | str:
        """A vector as numbers or, as OpenAI's client asks for it, as their float32 bytes in base64."""
        if self.encoding_format == "float":
            return vector
        return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode("ascii")


def embeddings_router(workspace: Workspace) -> APIRouter:
    """The route over a workspace, whose embedding model is opened by the first request."""
    router = APIRouter(prefix="/v1")

    @router.post("/embeddings")
    async def embed(body: EmbeddingRequest, request: Request) -> dict[str, Any]:
        gone = threading.Event()
        work = asyncio.ensure_future(asyncio.to_thread(embedded, body, gone))
        return await until_gone(request, work, gone)

    def embedded(body: EmbeddingRequest, gone: threading.Event) -> dict[str, Any]:
        embeddings = workspace.embeddings
        most = embeddings.window - _SPECIAL_TOKENS  # the model reads no more of a text
        texts = [text[: most * _CHARACTERS_A_TOKEN] for text in body.input]
        tokens = sum(min(most, count) for count in embeddings.count_tokens(texts))
        if tokens > _MOST_TOKENS:
            raise UnsupportedParameterError(
                "input",
                f"input: the {len(texts):,} texts have {tokens:,} tokens; at most {_MOST_TOKENS:,} are read in one "
                "request. Send them in several.",
            )
        if body.dimensions not in (None, embeddings.dimension):
            raise UnsupportedParameterError(
                "dimensions", f"dimensions: the vectors have {embeddings.dimension}, and cannot be shortened."
            )
        vectors = _vectors(embeddings, texts, gone)
        data = [
            {"object": "embedding", "index": index, "embedding": body.encoded(vector)}
            for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "model": workspace.settings.embedding_model, "data": data, "usage": usage}

    return router


def _vectors(embeddings: Embeddings, texts: list[str], gone: threading.Event) -> list[list[float]]:
    """The vector of each text, as far as it comes before the client goes away. Alike in length are read together."""
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    vectors: dict[int, list[float]] = {}
    for start in range(0, len(order), _TEXTS_AT_ONCE):
        if gone.is_set():
            break
        batch = order[start : start + _TEXTS_AT_ONCE]
        vectors.update(zip(batch, embeddings.embed_documents([texts[i] for i in batch]), strict=True))
    return [vectors[index] for index in sorted(vectors)]
