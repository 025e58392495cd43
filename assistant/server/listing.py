"""Lists as OpenAI's API gives them, in pages."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query

from assistant.server.openai_errors import UnsupportedParameterError

MOST_PER_PAGE = 10_000
PerPage = Annotated[int, Query(ge=1, le=MOST_PER_PAGE)]


def page(entries: Sequence[dict[str, Any]], limit: int, after: str) -> dict[str, Any]:
    """Up to `limit` entries after the one with the id `after`. Raises UnsupportedParameterError where there is none."""
    ids = [entry["id"] for entry in entries]
    if after and after not in ids:
        raise UnsupportedParameterError(
            "after", f"after: nothing here has the id {after!r}.", "invalid_value"
        )
    first = ids.index(after) + 1 if after else 0
    shown = list(entries[first : first + limit])
    return {"object": "list", "data": shown, "has_more": first + limit < len(entries)}
