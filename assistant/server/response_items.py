"""The output of a response: reasoning, a message and calls as items, and the events in which they grow."""

import uuid
from collections.abc import Iterator
from typing import Any

from langchain_core.messages import AIMessageChunk

Told = tuple[str, dict[str, Any]]  # the kind of an event, and what it says beside its kind and number


class OutputItems:
    """Takes an answer's chunks, or the whole of it as one."""

    def __init__(self) -> None:
        self.output: list[dict[str, Any]] = []
        self._is_open = False

    def read(self, chunk: AIMessageChunk) -> Iterator[Told]:
        """The events of a chunk."""
        if thoughts := chunk.additional_kwargs.get("reasoning_content"):
            yield from self._think(thoughts)
        if chunk.text:
            tokens = chunk.response_metadata.get("logprobs", {}).get("content", [])
            yield from self._write(chunk.text, tokens)
        for call in chunk.tool_call_chunks:
            yield from self._call_function(call)

    def end(self) -> Iterator[Told]:
        """The events that close the item that is being written."""
        if not self._is_open:
            return
        self._is_open = False
        item, place = self.output[-1], self._place
        item["status"] = "completed"
        if item["type"] == "message":
            part = item["content"][0]
            at = {**place, "content_index": 0}
            yield "response.output_text.done", {**at, "text": part["text"], "logprobs": part["logprobs"]}
            yield "response.content_part.done", {**at, "part": part}
        elif item["type"] == "function_call":
            told = {**place, "name": item["name"], "arguments": item["arguments"]}
            yield "response.function_call_arguments.done", told
        else:
            at = {**place, "content_index": 0}
            yield "response.reasoning_text.done", {**at, "text": item["content"][0]["text"]}
        yield "response.output_item.done", {"output_index": place["output_index"], "item": item}

    @property
    def _place(self) -> dict[str, Any]:
        return {"item_id": self.output[-1]["id"], "output_index": len(self.output) - 1}

    def _think(self, text: str) -> Iterator[Told]:
        if not self._goes_on("reasoning"):
            content = [{"type": "reasoning_text", "text": ""}]
            yield from self._begin("rs", {"type": "reasoning", "summary": [], "content": content})
        self.output[-1]["content"][0]["text"] += text
        yield "response.reasoning_text.delta", {**self._place, "content_index": 0, "delta": text}

    def _write(self, text: str, tokens: list[dict[str, Any]]) -> Iterator[Told]:
        if not self._goes_on("message"):
            part: dict[str, Any] = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            yield from self._begin("msg", {"type": "message", "role": "assistant", "content": []})
            self.output[-1]["content"].append(part)
            yield "response.content_part.added", {**self._place, "content_index": 0, "part": dict(part)}
        part = self.output[-1]["content"][0]
        part["text"] += text
        part["logprobs"] = [*part["logprobs"], *tokens]
        told = {**self._place, "content_index": 0, "delta": text, "logprobs": tokens}
        yield "response.output_text.delta", told

    def _call_function(self, call: Any) -> Iterator[Told]:
        if call["name"]:
            item = {"type": "function_call", "call_id": call["id"], "name": call["name"], "arguments": ""}
            yield from self._begin("fc", item)
        if call["args"]:
            self.output[-1]["arguments"] += call["args"]
            yield "response.function_call_arguments.delta", {**self._place, "delta": call["args"]}

    def _goes_on(self, kind: str) -> bool:
        return self._is_open and self.output[-1]["type"] == kind

    def _begin(self, prefix: str, item: dict[str, Any]) -> Iterator[Told]:
        yield from self.end()
        self._is_open = True
        self.output.append({"id": f"{prefix}_{uuid.uuid4().hex}", "status": "in_progress", **item})
        told = {**self.output[-1]}
        yield "response.output_item.added", {"output_index": len(self.output) - 1, "item": told}
