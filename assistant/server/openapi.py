"""The OpenAPI document, with the errors as they are told: FastAPI's own says 422 in a form that no route here uses."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from assistant.server.events import EVENT_STREAM
from assistant.server.openai_errors import ANTHROPIC_PATH

_TEXT = {"type": "string"}
_OPENAI = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": _TEXT,
                "type": _TEXT,
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_ANTHROPIC = {
    "type": "object",
    "required": ["type", "error"],
    "properties": {
        "type": {"const": "error"},
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {"type": _TEXT, "message": _TEXT},
        },
    },
}
_STREAMED = ("/v1/chat/completions", "/v1/completions", "/v1/responses", ANTHROPIC_PATH)
_SCHEMAS = {"Error": _OPENAI, "AnthropicError": _ANTHROPIC}


def describe_errors(app: FastAPI) -> None:
    """Let the app's document have them."""
    written: Callable[[], dict[str, Any]] = app.openapi

    def document() -> dict[str, Any]:
        found = written()  # kept by the app, and the same object each time
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(_SCHEMAS)
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for path, operations in found["paths"].items():
            for operation in operations.values():
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = _response(path)
            if path in _STREAMED:
                operations["post"]["responses"]["200"]["content"][EVENT_STREAM] = {"schema": _TEXT}
        return found

    app.openapi = document  # type: ignore[method-assign]


def _response(path: str) -> dict[str, Any]:
    name = "AnthropicError" if path.startswith(ANTHROPIC_PATH) else "Error"
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {
        "description": "What was asked, and why it is refused",
        "content": {"application/json": {"schema": schema}},
    }
