"""Server-sent events."""

import json
from collections.abc import Mapping
from typing import Any

EVENT_STREAM = "text/event-stream"
DONE = "data: [DONE]\n\n"


def event(record: Mapping[str, Any], kind: str = "") -> str:
    """One event with a record as JSON, and its kind where clients tell them apart by it."""
    head = f"event: {kind}\n" if kind else ""
    return f"{head}data: {json.dumps(record, ensure_ascii=False)}\n\n"
