"""The parts of an answer as LangChain's message chunks: text, reasoning, calls of tools, usage. It asks no model."""

import threading
import uuid
from collections.abc import Generator, Sequence
from contextlib import closing
from typing import Any

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import OutputTokenDetails, UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from assistant.engines.answering import Answering
from assistant.engines.pieces import TokenLogprob
from assistant.engines.replies import Part
from assistant.engines.stops import Returning
from tuning.models.stream_end import StreamEnd


def chunks_of(
    answering: Answering, cancel: threading.Event | None
) -> Generator[ChatGenerationChunk, None, None]:
    """The parts as they come, then one empty chunk with the usage and the finish reason. Raises EngineError.

    The engine is free before that last chunk.
    """
    kinds: dict[str, str] = {"thoughts": "", "arguments": ""}
    with closing(answering.steps(cancel)) as stepping:
        steps = Returning(stepping)
        for part, tokens in steps:
            kinds[part.kind] = kinds.get(part.kind, "") + part.text
            yield ChatGenerationChunk(message=_chunk(part, tokens))
    reason = "tool_calls" if "call" in kinds and steps.returned.finish_reason == "stop" else None
    yield _last(answering, steps.returned, reason, kinds["thoughts"])


def _chunk(part: Part, tokens: Sequence[TokenLogprob]) -> AIMessageChunk:
    if part.kind == "thoughts":
        return AIMessageChunk(content="", additional_kwargs={"reasoning_content": part.text})
    if part.kind == "call":
        named = tool_call_chunk(name=part.text, args="", id=f"call_{uuid.uuid4().hex[:24]}", index=part.call)
        return AIMessageChunk(content="", tool_call_chunks=[named])
    if part.kind == "arguments":
        return AIMessageChunk(content="", tool_call_chunks=[tool_call_chunk(args=part.text, index=part.call)])
    told = {"logprobs": {"content": list(map(_likelihood, tokens))}} if tokens else {}
    return AIMessageChunk(content=part.text, response_metadata=told)


def _likelihood(token: TokenLogprob) -> dict[str, Any]:
    """A token in OpenAI's form."""
    return {**_plain(token), "top_logprobs": list(map(_plain, token.top))}


def _plain(token: TokenLogprob) -> dict[str, Any]:
    return {"token": token.text, "logprob": token.logprob, "bytes": list(token.bytes)}


def _last(answering: Answering, end: StreamEnd, reason: str | None, thoughts: str) -> ChatGenerationChunk:
    engine = answering.engine
    read, written = engine.count_tokens(answering.messages), end.completion_tokens
    usage = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
    if thoughts:
        usage["output_token_details"] = OutputTokenDetails(reasoning=engine.count_text(thoughts))
    message = AIMessageChunk(
        content="",
        chunk_position="last",
        usage_metadata=usage,
        response_metadata={
            "model_name": answering.checkpoint or engine.name,
            "model_provider": "imprint",
            "finish_reason": reason or end.finish_reason,
            **({"stop_sequence": end.stop} if end.stop else {}),
        },
    )
    return ChatGenerationChunk(message=message)
