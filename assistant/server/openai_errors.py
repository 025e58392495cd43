"""Errors as the API of a route tells them, OpenAI's or Anthropic's: the status, the kind, the parameter at fault."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from assistant.errors import (
    KNOWN_ERRORS,
    AssistantError,
    EngineError,
    PromptTooLongError,
    UnsupportedOptionError,
    sentence_of,
)
from assistant.server.files import FileTooLargeError, UnknownFileError
from knowledge.errors import KnowledgeError
from tuning.errors import JobError


class UnknownModelError(AssistantError):
    """A request names a model that is neither the base nor one of its checkpoints."""


class UnsupportedParameterError(AssistantError):
    """A request asks for what this server does not do, or what makes no sense; `code` is OpenAI's word for which."""

    def __init__(self, param: str, message: str, code: str = "unsupported_parameter") -> None:
        super().__init__(message)
        self.param, self.code = param, code


class UnknownFileParameterError(UnsupportedParameterError):
    """A parameter names a file that does not exist."""


class WrongStateError(AssistantError):
    """What is asked of a job cannot be done in the state it is in."""


ANTHROPIC_PATH = "/v1/messages"
_ANTHROPIC_KINDS = {404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error"}
# What the options of chat completions are called elsewhere.
_OTHER_NAMES = {
    ("/v1/responses", "response_format"): "text.format",
    ("/v1/responses", "messages"): "input",
    ("/v1/completions", "messages"): "prompt",
}
# The HTTP status of an error; the first kind that matches counts. All others are the request's fault: 400.
_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (UnknownModelError, 404),
    (UnknownFileError, 404),
    (UnknownFileParameterError, 404),
    (FileTooLargeError, 413),
    (WrongStateError, 400),
    (UnsupportedOptionError, 400),
    (JobError, 404),
    (EngineError, 500),
    (KnowledgeError, 500),
    (OSError, 500),
)


def status_of(error: Exception) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 400)


def error_object(error: Exception | str, status: int, param: str | None = None) -> dict[str, Any]:
    """OpenAI's error object."""
    code = None
    if isinstance(error, UnknownModelError):
        param, code = "model", "model_not_found"
    elif isinstance(error, UnsupportedParameterError):
        param, code = error.param, error.code
    elif isinstance(error, UnsupportedOptionError):
        param, code = error.option, "unsupported_value"
    elif isinstance(error, PromptTooLongError):
        param, code = "messages", "context_length_exceeded"
    return {
        "message": error if isinstance(error, str) else sentence_of(error),
        "type": "invalid_request_error" if status < 500 else "server_error",
        "param": param,
        "code": code,
    }


def anthropic_error(error: Exception | str, status: int) -> dict[str, Any]:
    """Anthropic's body of an error."""
    kind = _ANTHROPIC_KINDS.get(status, "invalid_request_error" if status < 500 else "api_error")
    return {"type": "error", "error": {"type": kind, "message": error_object(error, status)["message"]}}


def _body(request: Request, error: Exception | str, status: int, param: str | None = None) -> dict[str, Any]:
    path = request.url.path
    if path.startswith(ANTHROPIC_PATH):
        return anthropic_error(error, status)
    told = error_object(error, status, param)
    if (name := _OTHER_NAMES.get((path, told["param"]))) is not None:
        told |= {"param": name, "message": str(told["message"]).replace(f"{told['param']}:", f"{name}:", 1)}
    return {"error": told}


# Names that pydantic puts among those of the fields.
_KINDS_OF_VALUES = (
    *("str", "int", "float", "bool", "function-after", "constrained-int", "constrained-float"),
    "constrained-str",
)


def _what_is_wrong(errors: Sequence[Any]) -> tuple[str, str]:
    """The place of the first error, and what it says; where one of several forms would do, what each of them wants.

    A form that was followed further than the others is the one that was meant.
    """
    found = [(_place(error["loc"]), str(error["msg"]).removeprefix("Value error, ")) for error in errors]
    place, message = found[0]
    deeper = next((one for one in found if one[0].startswith(f"{place}.")), None)
    if deeper is not None:
        place, message = deeper
    else:
        wanted = dict.fromkeys(said.removeprefix("Input should be ") for at, said in found if at == place)
        message = " or ".join([message, *(said for said in wanted if not message.endswith(said))])
    return place or "body", message.encode("utf-8", "replace").decode()


def _place(parts: Sequence[str | int]) -> str:
    """The field at fault, without what pydantic puts among the names; of a wrong key, the object that has it."""
    names = list(parts[1:])
    if names[-1:] == ["[key]"]:
        names = names[:-2]
    return ".".join(str(name) for name in names if not _is_kind(str(name)))


def _is_kind(name: str) -> bool:
    return name in _KINDS_OF_VALUES or name.startswith(("list[", "dict[", "literal["))


def tell_errors(app: FastAPI) -> None:
    """Let the app answer every error in this form."""

    async def known_error(request: Request, error: Exception) -> JSONResponse:
        status = status_of(error)
        return JSONResponse(_body(request, error, status), status)

    for kind in KNOWN_ERRORS:
        app.exception_handler(kind)(known_error)

    @app.exception_handler(RequestValidationError)
    async def invalid_request(request: Request, error: RequestValidationError) -> JSONResponse:
        place, message = _what_is_wrong(error.errors())
        return JSONResponse(_body(request, f"{place}: {message}", 400, place), 400)

    @app.exception_handler(HTTPException)
    async def no_such_route(request: Request, error: HTTPException) -> JSONResponse:
        message = f"{request.method} {request.url.path}: {error.detail}. See /openapi.json for what there is."
        return JSONResponse(_body(request, message, error.status_code), error.status_code, error.headers)
