"""LibreChat's exported conversations: a tree of messages, flat or nested, with thumbs."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tuning.data.chat_exports import read_rated
from tuning.data.imported import ImportedConversation, Record, key_of, message_of, string_of
from tuning.data.marks import judgement
from tuning.data.message_parts import text_of, uses_tools
from tuning.data.times import plausible_seconds


def is_librechat(record: Record) -> bool:
    """Whether its messages name their parents as LibreChat's do."""
    messages = record.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    return isinstance(first, Mapping) and "messageId" in first and "isCreatedByUser" in first


def read_librechat(record: Record) -> ImportedConversation | None:
    """The branch that ends with the latest message, and its thumbs; the other branches are kept beside it."""
    nodes = {str(node["messageId"]): node for node in _flat(record["messages"])}
    active = _branch(nodes)
    if not active:
        return None
    on_branch = {node["messageId"] for node in active}
    own = {
        "title": string_of(record.get("title")),
        "created": plausible_seconds(active[0].get("createdAt")),
        "messages": [_own_message(node) for node in active],
        "other_branches": [
            _own_message(node) for node in nodes.values() if node["messageId"] not in on_branch
        ],
    }
    conversation = read_rated(own)
    return conversation and replace(conversation, key=key_of("librechat", record.get("conversationId")))


def _flat(messages: list[Any]) -> Iterator[Mapping[str, Any]]:
    """Every message, those under `children` too; parents come first."""
    waiting = list(reversed(messages))
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.get("children") or ())


def _branch(nodes: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """From the first message to the latest one; to the last of the file where none says when it was written."""
    order = {id: number for number, id in enumerate(nodes)}
    id = max(
        nodes, key=lambda one: (plausible_seconds(nodes[one].get("createdAt")) or 0.0, order[one]), default=""
    )
    branch: list[Mapping[str, Any]] = []
    seen: set[str] = set()
    while id in nodes and id not in seen:
        seen.add(id)
        branch.append(nodes[id])
        id = str(nodes[id].get("parentMessageId"))
    return branch[::-1]


def _own_message(node: Mapping[str, Any]) -> dict[str, Any]:
    role = "user" if node.get("isCreatedByUser") else "assistant"
    parts = node.get("content")
    return {
        **message_of(role, string_of(node.get("text")) or text_of(parts), is_masked=uses_tools(parts)),
        "id": node["messageId"],
        "parent": node.get("parentMessageId"),
        "created": plausible_seconds(node.get("createdAt")),
        "rating": judgement(node),
    }
