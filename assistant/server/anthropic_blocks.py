"""The content of an answer as Anthropic's blocks: thoughts, text, calls of tools; and the events in which they grow."""

import json
from collections.abc import Iterator
from typing import Any

from langchain_core.messages import AIMessageChunk

Told = tuple[str, dict[str, Any]]  # the kind of an event, and what it says beside its kind
_EMPTY: dict[str, dict[str, Any]] = {
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
    "text": {"type": "text", "text": ""},
}
_DELTAS = {"thinking": "thinking_delta", "text": "text_delta"}


class ContentBlocks:
    """Takes an answer's chunks, or the whole of it as one."""

    def __init__(self) -> None:
        self.content: list[dict[str, Any]] = []
        self._arguments = ""  # of the call that is being written, as JSON
        self._is_open = False

    def read(self, chunk: AIMessageChunk) -> Iterator[Told]:
        """The events of a chunk."""
        if thoughts := chunk.additional_kwargs.get("reasoning_content"):
            yield from self._write("thinking", thoughts)
        if chunk.text:
            yield from self._write("text", chunk.text)
        for call in chunk.tool_call_chunks:
            yield from self._call(call)

    def end(self) -> Iterator[Told]:
        """The event that closes the block that is being written."""
        if not self._is_open:
            return
        self._is_open = False
        if self.content[-1]["type"] == "tool_use":
            self.content[-1]["input"] = _parsed(self._arguments)
        yield "content_block_stop", {"index": len(self.content) - 1}

    def _write(self, kind: str, text: str) -> Iterator[Told]:
        if not self._is_open or self.content[-1]["type"] != kind:
            yield from self._begin(dict(_EMPTY[kind]))
        self.content[-1][kind] += text
        yield self._delta({"type": _DELTAS[kind], kind: text})

    def _call(self, call: Any) -> Iterator[Told]:
        """A call begins with its name; more of its arguments may follow."""
        if call["name"]:
            self._arguments = ""
            yield from self._begin({"type": "tool_use", "id": call["id"], "name": call["name"], "input": {}})
        if call["args"]:
            self._arguments += call["args"]
            yield self._delta({"type": "input_json_delta", "partial_json": call["args"]})

    def _begin(self, block: dict[str, Any]) -> Iterator[Told]:
        yield from self.end()
        self._is_open = True
        self.content.append(block)
        yield "content_block_start", {"index": len(self.content) - 1, "content_block": dict(block)}

    def _delta(self, delta: dict[str, Any]) -> Told:
        return "content_block_delta", {"index": len(self.content) - 1, "delta": delta}


def _parsed(arguments: str) -> Any:
    """The arguments; of a call that was cut at the most tokens, none."""
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return {}
