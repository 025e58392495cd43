"""Exports of chat programs, which keep branches and ratings: ChatGPT, Claude, Open WebUI, Imprint itself."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tuning.data.examples import Message
from tuning.data.imported import (
    ImportedConversation,
    RatedAnswer,
    Record,
    key_of,
    message_of,
    question_and_answer,
    read_messages,
    string_of,
    text_of,
)
from tuning.data.marks import judgement
from tuning.data.times import finite_number, plausible_seconds


def read_rated(record: Record) -> ImportedConversation | None:
    """Imprint's own export: a correction stands for the answer, and disliked answers are left out."""
    system, question = "", None
    kept: list[Message] = []
    rated: list[RatedAnswer] = []
    for turn in record["messages"]:
        role, text = turn.get("role"), text_of(turn.get("content"))
        if role == "system":
            system = text
        elif role == "user":
            question = text
        elif role == "assistant" and question is not None:
            correction = text_of(turn.get("correction"))
            answer = correction if correction.strip() else message_of("assistant", text)["content"]
            is_good = bool(correction.strip()) or judgement(turn) > 0
            if is_good and answer.strip() and question.strip():
                reason = "corrected by you" if correction.strip() else "liked"
                rated.append(RatedAnswer(question, answer, reason))
            if is_good or judgement(turn) == 0:
                kept += question_and_answer(question, answer)
            question = None
    messages = ([message_of("system", system)] if system.strip() else []) + kept
    return ImportedConversation(
        string_of(record.get("title")),
        tuple(messages),
        plausible_seconds(record.get("created")),
        rated=tuple(rated),
        record={**record, "messages": [_with_rating(turn) for turn in record["messages"]]},
    )


def _with_rating(turn: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message with its rating as a number, where another program wrote it as a word."""
    found = judgement(turn)
    return {**turn, "rating": found} if found else turn


def read_chatgpt(record: Record) -> ImportedConversation | None:
    """The branch that ChatGPT would open."""
    mapping = record["mapping"]
    node_id = record.get("current_node")
    if node_id not in mapping:  # the latest leaf, which is what the page would open
        leaves = [key for key, node in mapping.items() if not node.get("children")]
        node_id = max(leaves, key=lambda key: _created(mapping[key]), default=None)
    messages: list[Message] = []
    seen: set[str] = set()
    while node_id in mapping and node_id not in seen:
        seen.add(str(node_id))
        node = mapping[str(node_id)]
        if message := _chatgpt_message(node.get("message") or {}):
            messages.append(message)
        node_id = node.get("parent")
    return ImportedConversation(
        string_of(record.get("title")),
        tuple(messages[::-1]),
        plausible_seconds(record.get("create_time")),
        key=key_of("chatgpt", record.get("conversation_id") or record.get("id")),
    )


def _chatgpt_message(message: Mapping[str, Any]) -> Message | None:
    role = (message.get("author") or {}).get("role")
    content = message.get("content") or {}
    hidden = (message.get("metadata") or {}).get("is_visually_hidden_from_conversation")
    if role not in ("system", "user", "assistant") or hidden or message.get("recipient", "all") != "all":
        return None
    if content.get("content_type", "text") not in ("text", "multimodal_text"):
        return None
    text = "\n".join(filter(None, map(_chatgpt_part, content.get("parts") or ())))
    return message_of(role, text) if text.strip() else None


def _chatgpt_part(part: object) -> str:
    """A part's text: written, or what was understood of speech."""
    if isinstance(part, Mapping) and part.get("content_type") == "audio_transcription":
        return string_of(part.get("text"))
    return string_of(part)


def _created(node: Mapping[str, Any]) -> float:
    return finite_number((node.get("message") or {}).get("create_time")) or 0.0


def read_claude(record: Record) -> ImportedConversation | None:
    """One of Claude's conversations."""
    turns = [
        {"role": t.get("sender"), "content": t.get("text") or t.get("content")}
        for t in record["chat_messages"]
    ]
    conversation = read_messages({"messages": turns})
    if conversation is None:
        return None
    return replace(
        conversation,
        title=string_of(record.get("name")),
        created=plausible_seconds(record.get("created_at")),
        key=key_of("claude", record.get("uuid")),
    )


def is_open_webui(record: Record) -> bool:
    """Whether it is a chat of Open WebUI: a tree of messages under `chat.history`."""
    chat = record.get("chat")
    history = chat.get("history") if isinstance(chat, Mapping) else None
    return isinstance(history, Mapping) and isinstance(history.get("messages"), Mapping)


def read_open_webui(record: Record) -> ImportedConversation | None:
    """The open branch and its thumbs; the other branches are kept beside it."""
    chat = record["chat"]
    nodes = {str(id): {**node, "id": str(id)} for id, node in chat["history"]["messages"].items()}
    active = _branch(nodes, chat["history"].get("currentId"))
    if not active:
        return None
    on_branch = {node["id"] for node in active}
    others = sorted(
        (node for node in nodes.values() if node["id"] not in on_branch),
        key=lambda node: _moment(node) or 0.0,
    )
    title = string_of(record.get("title")) or string_of(chat.get("title"))
    created = plausible_seconds(record.get("created_at") or chat.get("timestamp"))
    own = {
        "title": title,
        "created": created,
        "messages": [_own_message(node) for node in active],
        "other_branches": [
            _own_message(node) for node in others if node.get("role") in ("user", "assistant")
        ],
    }
    conversation = read_rated(own)
    return conversation and replace(conversation, key=key_of("open-webui", record.get("id")))


def _branch(nodes: Mapping[str, Mapping[str, Any]], leaf: object) -> list[Mapping[str, Any]]:
    """The messages from the first one to a leaf; to the latest one where the leaf is not there."""
    if not isinstance(leaf, str) or leaf not in nodes:
        leaf = max(nodes, key=lambda id: _moment(nodes[id]) or 0.0, default=None)
    branch: list[Mapping[str, Any]] = []
    seen: set[str] = set()
    while isinstance(leaf, str) and leaf in nodes and leaf not in seen:
        seen.add(leaf)
        branch.append(nodes[leaf])
        leaf = nodes[leaf].get("parentId")
    return branch[::-1]


def _own_message(node: Mapping[str, Any]) -> dict[str, Any]:
    role = string_of(node.get("role"))
    message = message_of(role, text_of(node.get("content")))
    return {
        **message,
        "id": node["id"],
        "parent": node.get("parentId"),
        "created": _moment(node),
        "rating": judgement(node),
    }


def _moment(node: Mapping[str, Any]) -> float | None:
    return plausible_seconds(node.get("timestamp"))
