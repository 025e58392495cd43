"""OpenAI's files API: what is uploaded to train from."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Request, UploadFile
from fastapi.responses import FileResponse

from assistant.server.files import UploadedFile, UploadedFiles
from assistant.server.listing import MOST_PER_PAGE, PerPage, page
from assistant.server.openai_errors import UnsupportedParameterError

_FINE_TUNE = "fine-tune"
_MEMBERS = {"file", "purpose", "expires_after[anchor]", "expires_after[seconds]"}


def files_router(uploads: UploadedFiles) -> APIRouter:
    """The routes under /v1/files."""
    router = APIRouter(prefix="/v1")

    @router.post("/files", dependencies=[Depends(_only_what_is_known)])
    def add_file(
        file: UploadFile,
        purpose: Annotated[str, Form()] = _FINE_TUNE,
        anchor: Annotated[str, Form(alias="expires_after[anchor]")] = "",
        seconds: Annotated[str, Form(alias="expires_after[seconds]")] = "",
    ) -> dict[str, Any]:
        _check_file(purpose, anchor or seconds)
        return _file(uploads.add(file.file, file.filename or "file", purpose))

    @router.get("/files")
    def list_files(
        limit: PerPage = MOST_PER_PAGE,
        after: str = "",
        order: Literal["asc", "desc"] = "desc",
        purpose: str = "",
    ) -> dict[str, Any]:
        found = [_file(upload) for upload in uploads.list() if purpose in ("", upload.purpose)]
        return page(found if order == "desc" else found[::-1], limit, after)

    @router.get("/files/{file_id}")
    def get_file(file_id: str) -> dict[str, Any]:
        return _file(uploads.get(file_id))

    @router.get("/files/{file_id}/content")
    def get_content(file_id: str) -> FileResponse:
        return FileResponse(uploads.path(file_id), media_type="application/octet-stream")

    @router.delete("/files/{file_id}")
    def delete_file(file_id: str) -> dict[str, Any]:
        uploads.delete(file_id)
        return {"id": file_id, "object": "file", "deleted": True}

    return router


async def _only_what_is_known(request: Request) -> None:
    """Raises UnsupportedParameterError for a member of the form that would have no effect."""
    for name in await request.form():
        if name not in _MEMBERS:
            raise UnsupportedParameterError(name, f"{name}: there is no such option. Leave it out.")


def _check_file(purpose: str, expiry: str) -> None:
    """Raises UnsupportedParameterError for what this server does with no file."""
    if purpose != _FINE_TUNE:
        raise UnsupportedParameterError(
            "purpose", f"purpose: files are for {_FINE_TUNE!r} here; {purpose!r} was given.", "invalid_value"
        )
    if expiry:
        raise UnsupportedParameterError(
            "expires_after", "expires_after: files stay until they are deleted. Leave it out."
        )


def _file(upload: UploadedFile) -> dict[str, Any]:
    return {"object": "file", "status": "processed", **asdict(upload)}
