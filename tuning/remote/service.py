"""A fine-tuning service that speaks OpenAI's API, called with OpenAI's client. It keeps nothing and retries nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tuning.errors import JobError, MethodError

if TYPE_CHECKING:  # it is an extra: a worker that trains by itself does not have it
    from openai import OpenAI

OPENAI_HOST = "api.openai.com"
_SECONDS = 60.0  # that a request may take; an upload has as much for each of its parts
_EVENTS_PER_PAGE = 100
_SUFFIX_CHARACTERS = 64  # OpenAI takes no more


class OutOfReachError(JobError):
    """The service gave no answer, or one that says to come again; what runs there goes on."""


@dataclass(frozen=True)
class ServiceJob:
    """What a service says of a job."""

    id: str
    status: str  # validating_files, queued, running, paused, succeeded, failed, cancelled
    model: str = ""  # that it made, once it succeeded
    trained_tokens: int | None = None
    error: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen over there."""
        return self.status in ("succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class ServiceEvent:
    """One event of a job: a message, or the figures of a step."""

    id: str
    message: str
    figures: Mapping[str, Any] = field(default_factory=dict)


def check_service(url: str, key: str) -> None:
    """Raise `MethodError` where a service cannot be asked from here, before anything is sent."""
    if find_spec("openai") is None:
        raise MethodError(
            "Fine-tuning at a service needs the package openai, which is not installed here: pip install openai"
        )
    if not key and urlsplit(url).hostname == OPENAI_HOST:
        raise MethodError(
            f"{url} needs a key, and none is set for it. Set IMPRINT_FINE_TUNING_KEY, or the key on the Settings page."
        )


class FineTuningService:
    """The files and jobs of the service at `url` (ending in /v1)."""

    def __init__(self, url: str, key: str = "") -> None:
        """`key` is sent with each request, and to this address alone: redirections are not followed."""
        check_service(url, key)
        import openai  # takes a second, and most jobs need none

        self.url = url.rstrip("/")
        self._client: OpenAI = openai.OpenAI(
            base_url=self.url,
            api_key=key or "none",
            max_retries=0,
            timeout=_SECONDS,
            http_client=openai.DefaultHttpxClient(follow_redirects=False, timeout=_SECONDS),
        )

    def upload(self, name: str, content: bytes) -> str:
        """Send a training file; its id there. Raises JobError."""
        with self._told("the training file"):
            return str(self._client.files.create(file=(name, content), purpose="fine-tune").id)

    def create(
        self, model: str, file: str, suffix: str, *, seed: int, hyperparameters: Mapping[str, Any]
    ) -> ServiceJob:
        """Start a job on a file; hyper-parameters that are left out are the service's own. Raises JobError."""
        options: dict[str, Any] = {}
        if hyperparameters:
            options["method"] = {
                "type": "supervised",
                "supervised": {"hyperparameters": dict(hyperparameters)},
            }
        with self._told(f"a fine-tuning job on {model!r}"):
            return _job(
                self._client.fine_tuning.jobs.create(
                    model=model, training_file=file, suffix=suffix[:_SUFFIX_CHARACTERS], seed=seed, **options
                )
            )

    def find(self, file: str) -> ServiceJob | None:
        """The newest job on a file, where there is one. Raises JobError."""
        with self._told("the list of its jobs"):
            jobs = self._client.fine_tuning.jobs.list(limit=_EVENTS_PER_PAGE).data
            return next((_job(job) for job in jobs if job.training_file == file), None)

    def job(self, id: str) -> ServiceJob:
        """How a job is. Raises JobError."""
        with self._told(f"the job {id!r}"):
            return _job(self._client.fine_tuning.jobs.retrieve(id))

    def events(self, id: str, known: set[str]) -> list[ServiceEvent]:
        """The events of a job that are not among the `known` ids, oldest first. Raises JobError."""
        new: list[ServiceEvent] = []
        with self._told(f"the events of the job {id!r}"):
            for event in self._client.fine_tuning.jobs.list_events(id, limit=_EVENTS_PER_PAGE):
                if event.id in known:  # they come newest first
                    break
                figures = event.data if event.type == "metrics" and isinstance(event.data, dict) else {}
                new.append(ServiceEvent(event.id, event.message, figures))
        return new[::-1]

    def cancel(self, id: str, seconds: float) -> None:
        """End a job over there, within so many seconds or not known to be. Raises JobError."""
        with self._told(f"to cancel the job {id!r}"):
            self._client.with_options(timeout=seconds).fine_tuning.jobs.cancel(id)

    def delete(self, file: str) -> None:
        """Remove a training file. Raises JobError."""
        with self._told(f"to delete the file {file!r}"):
            self._client.files.delete(file)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @contextmanager
    def _told(self, asked: str) -> Iterator[None]:
        """Errors of the client, and answers that are none, as this package's own."""
        import openai  # as above

        try:
            yield
        except (openai.APIConnectionError, openai.InternalServerError, openai.RateLimitError) as error:
            raise OutOfReachError(f"{self.url} could not be asked for {asked}: {_said(error)}") from error
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise JobError(
                f"{self.url} does not take the key ({error.status_code}): {_said(error)} Set the right one as "
                "IMPRINT_FINE_TUNING_KEY or on the Settings page, and resume the job."
            ) from error
        except openai.APIStatusError as error:
            raise JobError(
                f"{self.url} was asked for {asked} and refused with {error.status_code}: {_said(error)}"
            ) from error
        except (openai.APIError, AttributeError, TypeError, ValueError) as error:
            raise JobError(
                f"{self.url} did not answer as a fine-tuning service does ({error}). Its address usually ends in /v1."
            ) from error


def _job(found: Any) -> ServiceJob:
    """Raises ValueError for what is no job: the client checks no types."""
    if not isinstance(found.id, str) or not isinstance(found.status, str):
        raise ValueError("a job without an id or a status")
    error = (found.error.message or found.error.code or "") if found.error else ""
    return ServiceJob(found.id, found.status, found.fine_tuned_model or "", found.trained_tokens, error)


def _said(error: Any) -> str:
    """The sentence that the service said, ended with a stop."""
    body = error.body if isinstance(getattr(error, "body", None), dict) else {}
    text = " ".join(str(body.get("message") or error.message or "nothing more").split())[:300]
    return text if text.endswith((".", "!", "?", "。")) else f"{text}."
