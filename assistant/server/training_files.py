"""Uploaded files as what a job learns. A file is taken whole or refused, as OpenAI does: no line is left out unsaid.

Errors name the request's parameter, the line, and the file as the client knows it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from assistant.server.files import UnknownFileError, UploadedFiles
from assistant.server.job_requests import JobRequest
from assistant.server.openai_errors import UnknownFileParameterError, UnsupportedParameterError
from assistant.server.training_messages import require_openai_messages
from tuning.data.complaints import LeftOut
from tuning.data.examples import Example
from tuning.data.importers import import_file
from tuning.data.preferences import ReadPreferences, read_preferences
from tuning.errors import ExampleError
from tuning.jobs.jobs import Lessons

_NOTHING_TO_LEARN = "it holds no answer to learn. Repair or remove it."
T = TypeVar("T")


def validation_of(uploads: UploadedFiles, body: JobRequest) -> Sequence[Example]:
    """The examples to choose the best state by. Raises UnsupportedParameterError where the method asks none."""
    from tuning.training.methods import method  # heavy: torch

    if not body.validation_file:
        return []
    if method(body.tuning_method).learns_from != "examples":
        raise UnsupportedParameterError(
            "validation_file", f"validation_file: {body.tuning_method!r} asks none. Leave it out."
        )
    return _read(uploads, "validation_file", body.validation_file, _examples)


def lessons_of(uploads: UploadedFiles, body: JobRequest) -> Lessons:
    """The examples of an uploaded file, or its preferences where the method learns from these."""
    from tuning.training.methods import method  # heavy: torch

    if method(body.tuning_method).learns_from == "examples":
        return _read(uploads, "training_file", body.training_file, _examples)
    return _read(uploads, "training_file", body.training_file, _preferences)


def _read(uploads: UploadedFiles, param: str, file_id: str, read: Callable[[Path, str], T]) -> T:
    """What is in a file. Raises UnsupportedParameterError with the parameter and the name that the client gave."""
    try:
        upload, path = uploads.get(file_id), uploads.path(file_id)
    except UnknownFileError as error:
        raise UnknownFileParameterError(param, f"{param}: {error}", "invalid_value") from error
    try:
        return read(path, upload.filename)
    except ExampleError as error:
        named = _as_named(str(error), path, upload.filename)
        raise UnsupportedParameterError(param, f"{param}: {named}", "invalid_value") from error


def _as_named(sentence: str, path: Path, filename: str) -> str:
    """A sentence with the client's name of a file; the file's own here is a word that may stand elsewhere in it."""
    named = sentence.replace(str(path), filename).replace(f"{path.name}, line", f"{filename}, line")
    return filename + named.removeprefix(path.name) if named.startswith(path.name) else named


def _preferences(path: Path, filename: str) -> ReadPreferences:
    found = read_preferences(path)
    _require_all(found.complaints)
    return found


def _examples(path: Path, filename: str) -> list[Example]:
    require_openai_messages(path)
    found = import_file(path, goes_on=True)
    taught = {one.source for one in found.examples}
    silent = [one.source for one in found.conversations if one.source not in taught]
    _require_all([*found.left_out, *(LeftOut(source, _NOTHING_TO_LEARN) for source in silent)])
    return [replace(one, source=one.source.replace(path.name, filename, 1)) for one in found.examples]


def _require_all(left_out: Sequence[LeftOut]) -> None:
    """Raises ExampleError where something could not be learned."""
    if left_out:
        others = f" {len(left_out) - 1:,} more cannot be read either." if len(left_out) > 1 else ""
        raise ExampleError(f"{left_out[0].place}: {left_out[0].reason}{others}")
