"""Looking at an OpenAI-compatible endpoint before it is used: which models it has, and whether one answers."""

import time
from dataclasses import dataclass

from assistant.engines.remote import RemoteEngine
from assistant.errors import EngineError

QUESTION = "Say hello."
LONGEST_ANSWER = 16  # tokens


@dataclass(frozen=True)
class EndpointReport:
    """What an endpoint said."""

    models: tuple[str, ...]
    answer: str = ""
    seconds: float = 0.0


def look_at(url: str, model: str, key: str = "") -> EndpointReport:
    """The models of an endpoint and, where one is named, its answer to a greeting. Raises EngineError."""
    if not url.startswith(("http://", "https://")):
        raise EngineError(
            f"The address of an endpoint is {url!r}; it should be a URL such as http://127.0.0.1:8000/v1."
        )
    engine = RemoteEngine(url, model, key)
    try:
        models = tuple(engine.checkpoints())
        if not model:
            return EndpointReport(models)
        started = time.monotonic()
        question = {"role": "user", "content": QUESTION}
        answer = engine.complete([[question]], max_new_tokens=LONGEST_ANSWER)[0]
        return EndpointReport((model, *models), answer.strip() or "–", time.monotonic() - started)
    finally:
        engine.close()
