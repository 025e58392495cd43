"""Embeddings: texts, or token ids of a tokenizer that clients of OpenAI use, as vectors."""

import base64
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from assistant.server.fields import filled, refuse_unsupported, storable
from assistant.server.openai_errors import UnsupportedParameterError
from assistant.workspace import Workspace

_MOST_TEXTS = 2048
_SPECIAL_TOKENS = 2  # around a text
_CHARACTERS_A_TOKEN = 100  # at the most: the rest of a text need not be looked at


def _texts(given: Any) -> list[str]:
    """The texts of an embedding request's `input`."""
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts:
        raise ValueError("a text is needed, or a list with at least one")
    if len(texts) > _MOST_TEXTS:
        raise ValueError(f"at most {_MOST_TEXTS} texts at once; {len(texts)} were given")
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

    @model_validator(mode="before")
    @classmethod
    def _all_options_have_an_effect(cls, value: Any) -> Any:
        if isinstance(value, dict):
            refuse_unsupported(value, list(cls.model_fields), {}, {"user"})
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
    def embed(body: EmbeddingRequest) -> dict[str, Any]:
        most = workspace.embeddings.window - _SPECIAL_TOKENS  # the model reads no more of a text
        texts = [text[: most * _CHARACTERS_A_TOKEN] for text in body.input]
        vectors = workspace.embeddings.embed_documents(texts)
        if body.dimensions not in (None, len(vectors[0])):
            raise UnsupportedParameterError(
                "dimensions", f"dimensions: the vectors have {len(vectors[0])}, and cannot be shortened."
            )
        data = [
            {"object": "embedding", "index": index, "embedding": body.encoded(vector)}
            for index, vector in enumerate(vectors)
        ]
        tokens = sum(min(most, count) for count in workspace.embeddings.count_tokens(texts))
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "model": workspace.settings.embedding_model, "data": data, "usage": usage}

    return router
