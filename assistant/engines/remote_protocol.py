"""OpenAI's chat protocol from the side of a client: the body of a request, and the events of the answer as text.

Reasoning and calls of tools that come in fields of their own are written as a model on this machine writes them, so
that one reader (`replies`) understands all engines. It sends nothing.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assistant.engines.base import SamplingParams
from assistant.engines.pieces import Piece, TokenLogprob
from assistant.engines.shapes import CLOSE, OPEN, JsonOutput, Prose, Shape
from tuning.data.examples import Message
from tuning.models.template_options import template_options


def request_body(model: str, messages: Sequence[Message], params: SamplingParams) -> dict[str, Any]:
    """The body of a streamed chat completion."""
    options = template_options()
    seed = {} if params.seed is None else {"seed": params.seed}
    return {
        "model": model,
        "messages": list(map(_message, messages)),
        "stream": True,
        "max_tokens": params.max_new_tokens,
        "temperature": params.temperature,
        "top_p": params.top_p,
        **seed,
        **({"chat_template_kwargs": options} if options else {}),
        **({} if params.is_plain else _more(params)),
    }


def _message(message: Message) -> dict[str, Any]:
    calls = {"tool_calls": json.loads(message["tool_calls"])} if "tool_calls" in message else {}
    return {**message, **calls}


def _more(params: SamplingParams) -> dict[str, Any]:
    """What is not asked for by default, and only where it is: few endpoints know all of it."""
    asked: dict[str, Any] = {
        "frequency_penalty": params.frequency_penalty,
        "presence_penalty": params.presence_penalty,
        "logit_bias": {str(token): bias for token, bias in params.logit_bias.items()},
    }
    if params.top_logprobs is not None:
        asked |= {"logprobs": True, "top_logprobs": params.top_logprobs}
    return {name: value for name, value in asked.items() if value} | (
        _shape(params.shape) if params.shape else {}
    )


def _shape(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, Prose):
        return {}
    if isinstance(shape, JsonOutput):
        schema = {"name": shape.name, "schema": shape.schema}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    functions = [
        {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
        for tool in shape.tools
    ]
    named = {"type": "function", "function": {"name": shape.choice}}
    return {
        "tools": [{"type": "function", "function": function} for function in functions],
        "tool_choice": shape.choice if shape.choice in ("auto", "required") else named,
        **({} if shape.parallel else {"parallel_tool_calls": False}),
    }


@dataclass
class AnswerText:
    """Writes the deltas of an answer as text, with the marks around reasoning and calls."""

    _close: str = field(default="", init=False)  # what ends the part that is being written

    def of(self, choice: Mapping[str, Any]) -> Iterator[str]:
        """The text of one event's choice. Raises LookupError, TypeError where it is not as the protocol says."""
        delta = choice.get("delta") or {}
        if thought := delta.get("reasoning_content") or delta.get("reasoning"):
            yield from self._begin("</think>\n\n", "<think>\n")
            yield str(thought)
        if content := delta.get("content"):
            yield from self.end()
            yield _with_tokens(str(content), choice)
        for call in delta.get("tool_calls") or ():
            yield from self._call(call["function"])

    def end(self) -> Iterator[str]:
        """What closes the part that is being written."""
        if self._close:
            yield self._close
        self._close = ""

    def _begin(self, close: str, mark: str) -> Iterator[str]:
        if self._close != close:
            yield from self.end()
            self._close = close
            yield mark

    def _call(self, function: Mapping[str, Any]) -> Iterator[str]:
        """A call begins with its name; more of its arguments may follow."""
        if name := function.get("name"):
            yield from self.end()
            yield from self._begin(
                f"}}\n{CLOSE}\n", f'{OPEN}\n{{"name": {json.dumps(name, ensure_ascii=False)}, "arguments": '
            )
        if arguments := function.get("arguments"):
            yield str(arguments)


def _with_tokens(text: str, choice: Mapping[str, Any]) -> str:
    found = (choice.get("logprobs") or {}).get("content")
    return text if found is None else Piece(text, list(map(_token, found)))


def _token(found: Mapping[str, Any]) -> TokenLogprob:
    token = str(found["token"])
    own = found.get("bytes")
    return TokenLogprob(
        token,
        float(found["logprob"]),
        tuple(token.encode("utf-8", "replace") if own is None else own),
        tuple(map(_token, found.get("top_logprobs") or ())),
    )
