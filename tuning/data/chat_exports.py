"""Exports of chat programs, which keep branches and ratings: ChatGPT, Claude, Open WebUI, Imprint itself."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tuning.data.examples import Message, is_learned
from tuning.data.imported import (
    ImportedConversation,
    RatedAnswer,
    Record,
    Turn,
    key_of,
    message_of,
    read_messages,
    string_of,
    turns_of,
)
from tuning.data.marks import judgement
from tuning.data.message_parts import content_of, text_of, uses_tools
from tuning.data.times import finite_number, plausible_seconds


def read_rated(record: Record) -> ImportedConversation | None:
    """Imprint's own form: a correction stands for the answer, and disliked answers are left out."""
    kept: list[Message] = []
    rated: list[RatedAnswer] = []
    question: Message | None = None
    is_asked = False  # whether the question stands in `kept`
    turns = list(turns_of(record["messages"]))
    for turn in turns:
        message, correction = turn.message, text_of(turn.record.get("correction"))
        if message["role"] == "system" and message["content"].strip() and not kept:
            kept.append(message)
        elif message["role"] == "user":
            question, is_asked = message, False
        elif message["role"] == "assistant" and question is not None:
            if correction.strip():
                message = message_of("assistant", correction)
            elif judgement(turn.record) < 0:
                continue
            is_good = correction.strip() or (judgement(turn.record) > 0 and is_learned(message))
            if is_good and message["content"].strip() and question["content"].strip():
                reason = "corrected by you" if correction.strip() else "liked"
                rated.append(RatedAnswer(question["content"], message["content"], reason))
            kept += [message] if is_asked else [question, message]
            is_asked = True
    return ImportedConversation(
        string_of(record.get("title")),
        tuple(kept),
        plausible_seconds(record.get("created")),
        rated=tuple(rated),
        record={**record, "messages": [_in_own_form(turn) for turn in turns]},
    )


def _in_own_form(turn: Turn) -> Mapping[str, Any]:
    """The message as Imprint writes it: what is not to be learned, though nobody disliked it, is context."""
    rating = judgement(turn.record)
    ending = {"ending": "context"} if turn.message.get("weight") == "0" and not rating else {}
    text = text_of(content_of(turn.record))  # with its reasoning, which a person may want to read
    return {**turn.record, "role": turn.message["role"], "content": text, "rating": rating, **ending}


def read_chatgpt(record: Record) -> ImportedConversation | None:
    """The branch that ChatGPT would open, with the thumbs that `feedback_files` put beside its answers."""
    mapping = record["mapping"]
    node_id = record.get("current_node")
    if node_id not in mapping:  # the latest leaf, which is what the page would open
        leaves = [key for key, node in mapping.items() if not node.get("children")]
        node_id = max(leaves, key=lambda key: _created(mapping[key]), default=None)
    turns: list[Record] = []
    seen: set[str] = set()
    while node_id in mapping and node_id not in seen:
        seen.add(str(node_id))
        node = mapping[str(node_id)]
        if turn := _chatgpt_turn(node.get("message") or {}):
            turns.append(turn)
        node_id = node.get("parent")
    own = {
        "title": string_of(record.get("title")),
        "created": plausible_seconds(record.get("create_time")),
        "messages": turns[::-1],
    }
    is_rated = any(judgement(turn) for turn in turns)
    conversation = read_rated(own) if is_rated else read_messages(own)
    return conversation and replace(
        conversation, key=key_of("chatgpt", record.get("conversation_id") or record.get("id"))
    )


def _chatgpt_turn(message: Mapping[str, Any]) -> Record | None:
    role = (message.get("author") or {}).get("role")
    content = message.get("content") or {}
    hidden = (message.get("metadata") or {}).get("is_visually_hidden_from_conversation")
    if role == "tool":  # what it found; the call alone says nothing
        return {"role": role}
    if role not in ("system", "user", "assistant") or hidden or message.get("recipient", "all") != "all":
        return None
    if content.get("content_type", "text") not in ("text", "multimodal_text"):
        return None
    text = "\n".join(filter(None, map(_chatgpt_part, content.get("parts") or ())))
    return {"role": role, "content": text, "rating": message.get("rating")} if text.strip() else None


def _chatgpt_part(part: object) -> str:
    """A part's text: written, or what was understood of speech."""
    if isinstance(part, Mapping) and part.get("content_type") == "audio_transcription":
        return string_of(part.get("text"))
    return string_of(part)


def _created(node: Mapping[str, Any]) -> float:
    return finite_number((node.get("message") or {}).get("create_time")) or 0.0


def read_claude(record: Record) -> ImportedConversation | None:
    """One of Claude's conversations."""
    turns = [{"role": t.get("sender"), "content": _claude_content(t)} for t in record["chat_messages"]]
    conversation = read_messages({"messages": turns})
    if conversation is None:
        return None
    return replace(
        conversation,
        title=string_of(record.get("name")),
        created=plausible_seconds(record.get("created_at")),
        key=key_of("claude", record.get("uuid")),
    )


def _claude_content(turn: Mapping[str, Any]) -> object:
    """The parts, where tools are among them: the text beside them has words in their place."""
    parts = turn.get("content")
    return parts if uses_tools(parts) else turn.get("text") or parts


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
    content = node.get("content")
    return {
        **message_of(role, text_of(content), is_masked=uses_tools(content)),
        "id": node["id"],
        "parent": node.get("parentId"),
        "created": _moment(node),
        "rating": judgement(node),
    }


def _moment(node: Mapping[str, Any]) -> float | None:
    return plausible_seconds(node.get("timestamp"))
