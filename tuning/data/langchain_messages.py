"""LangChain's messages, in each of the ways that it writes them as JSON → plain `{"role", "content"}`."""

from collections.abc import Mapping
from typing import Any


def plain_turn(turn: Mapping[str, Any]) -> Mapping[str, Any]:
    """The turn with its role and content at the top, where LangChain wrote it; any other as it is.

    Known are `message_to_dict` ({"type", "data"}), `dumps` ({"lc", "id", "kwargs"}) and `model_dump`
    ({"type", "content"}).
    """
    id = turn.get("id")
    if isinstance(turn.get("kwargs"), Mapping) and "lc" in turn and isinstance(id, list) and id:
        return {**turn["kwargs"], "role": _role(str(id[-1]))}
    if (
        isinstance(turn.get("data"), Mapping)
        and isinstance(turn.get("type"), str)
        and "content" in turn["data"]
    ):
        return {**turn["data"], "role": turn["data"].get("role") or _role(turn["type"])}
    has_role = any(key in turn for key in ("role", "from", "sender"))
    if not has_role and isinstance(turn.get("type"), str) and "content" in turn:
        return {**turn, "role": _role(turn["type"])}
    return turn


def _role(name: str) -> str:
    """ "AIMessageChunk" and "ai" are one."""
    return name.removesuffix("Chunk").removesuffix("Message").casefold()
