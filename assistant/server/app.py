"""The OpenAI-compatible HTTP server: models, chat, responses, completions, embeddings, fine-tuning; and messages.

The base model is the first of the models, and each checkpoint is a model of its own. The server stores no
conversations; who may use it is decided in front of it, by `assistant.web`.
"""

from typing import Any

from fastapi import FastAPI

from assistant.engines.base import Engine
from assistant.server.answers import SharedEngine, check_model
from assistant.server.anthropic import anthropic_router
from assistant.server.chat import chat_router
from assistant.server.completions import completions_router
from assistant.server.embeddings import embeddings_router
from assistant.server.file_routes import files_router
from assistant.server.files import UploadedFiles
from assistant.server.fine_tuning import tuning_router
from assistant.server.openai_errors import UnknownModelError, tell_errors
from assistant.server.openapi import describe_errors
from assistant.server.responses import responses_router
from assistant.workspace import Workspace


def create_app(workspace: Workspace) -> FastAPI:
    """The server over a workspace, whose model is opened by the first request that needs it."""
    app = FastAPI(title="Imprint", docs_url=None, redoc_url=None)
    tell_errors(app)
    describe_errors(app)
    engine = SharedEngine(workspace)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok", "engine": workspace.engine_state}

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": _models(engine())}

    @app.get("/v1/models/{name:path}")
    def model(name: str) -> dict[str, Any]:
        if not name:  # some clients end the path of the list with a slash
            return models()
        opened = engine()
        check_model(opened, name)
        found = next((one for one in _models(opened) if one["id"] == name), None)
        if found is None:
            raise UnknownModelError(f"The model {name!r} was deleted a moment ago.")
        return found

    app.include_router(chat_router(engine))
    app.include_router(responses_router(engine))
    app.include_router(anthropic_router(engine))
    app.include_router(completions_router(engine))
    app.include_router(embeddings_router(workspace))
    uploads = UploadedFiles(workspace.home, workspace.settings.max_upload_mb)
    app.include_router(files_router(uploads))
    app.include_router(tuning_router(workspace, uploads))
    return app


def _models(engine: Engine) -> list[dict[str, Any]]:
    parents = {engine.name: None, **dict.fromkeys(engine.checkpoints(), engine.name)}
    return [
        {"id": name, "object": "model", "created": 0, "owned_by": "imprint", "parent": parent}
        for name, parent in parents.items()
    ]
