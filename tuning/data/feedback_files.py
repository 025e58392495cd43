"""`message_feedback.json` of ChatGPT's export: the thumbs, which stand beside the conversations and not in them."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tuning.data.marks import judgement

FEEDBACK = re.compile(r"(^|/)message_feedback[^/]*\.json$")
_IDS = ("message_id", "id")  # of the answer that was rated


def is_feedback(path: Path) -> bool:
    """Whether a file is named as ChatGPT names its thumbs."""
    return bool(FEEDBACK.search(path.name))


def feedback_of(contents: Iterable[object]) -> dict[str, int]:
    """1 or -1 by the id of the answer; what is no thumb, or cannot be read, says nothing."""
    return {
        entry[key]: verdict
        for content in contents
        for entry in _entries(content)
        if (verdict := judgement(entry))
        for key in _IDS
        if isinstance(entry.get(key), str)
    }


def _entries(content: object) -> list[Mapping[str, Any]]:
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            return []
    return [one for one in content if isinstance(one, Mapping)] if isinstance(content, list) else []


def with_feedback(record: Mapping[str, Any], feedback: Mapping[str, int]) -> Mapping[str, Any]:
    """One of ChatGPT's conversations with each thumb beside the answer that was rated."""
    nodes = record.get("mapping")
    if not isinstance(nodes, Mapping) or not feedback.keys() & nodes.keys():
        return record
    rated = {
        id: {**node, "message": {**node["message"], "rating": feedback[id]}}
        for id, node in nodes.items()
        if id in feedback and isinstance(node, Mapping) and isinstance(node.get("message"), Mapping)
    }
    return {**record, "mapping": {**nodes, **rated}}
