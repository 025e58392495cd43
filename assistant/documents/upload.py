"""Indexing of uploads, files, folders and addresses in the background, whatever happens to the page.

It stores uploads under the home and reports the progress of `KnowledgeBase.add`, which reads and indexes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assistant.background import BackgroundTask, TaskRegistry
from assistant.errors import AssistantError
from knowledge.base.intake import sources
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.base.reports import DocumentReport, IndexProgress
from knowledge.ingest.fetch import is_url

# An uploaded file: its name and its bytes.
Upload = tuple[str, bytes]
# Brings what is needed first, until the function that it is given says that it was stopped.
Fetch = Callable[[Callable[[], bool]], object]


@dataclass
class UploadTask(BackgroundTask):
    """The indexing of one batch of files, with a report of each that is done."""

    reports: list[DocumentReport] = field(default_factory=list)
    progress: IndexProgress | None = None
    files: list[str] = field(default_factory=list)  # paths and addresses, in the order in which they are read
    _phases: dict[str, str] = field(default_factory=dict)

    @property
    def documents(self) -> "list[UploadedDocument]":
        """The state of each file, in the order in which they are read."""
        reports = {report.path: report for report in list(self.reports)}
        paths = dict.fromkeys([*self.files, *reports])
        return [
            UploadedDocument(path, self._phases.get(path, "waiting"), reports.get(path)) for path in paths
        ]

    @property
    def locked(self) -> list[str]:
        """Paths of the encrypted files, which a password would open."""
        return [report.path for report in self.reports if report.locked]

    def index(
        self,
        open_base: Callable[[], KnowledgeBase],
        uploads: Sequence[Upload],
        paths: Sequence[Path | str],
        force: bool,
        password: str | None,
    ) -> None:
        """Store the uploads and index everything. Raises KnowledgeError, OSError."""
        base = open_base()
        given = [*(base.keep_upload(name, data) for name, data in uploads), *paths]
        self.files = sources(given)
        base.add(
            given,
            progress=self._on_report,
            watch=self._on_progress,
            should_stop=self.stop_event.is_set,
            force=force,
            password=password,
        )

    def rebuild(self, open_base: Callable[[], KnowledgeBase], fetch: Fetch | None) -> None:
        """Embed all passages again with the model of the settings, once it is fetched. Raises KnowledgeError."""
        if fetch is not None:
            self.progress = IndexProgress(0.0, None, "", "fetching")
            fetch(self.stop_event.is_set)
        open_base().rebuild(watch=self._on_progress)

    def _on_report(self, report: DocumentReport, done: int, total: int) -> None:
        self.reports.append(report)

    def _on_progress(self, progress: IndexProgress) -> None:
        """Files are read one by one and embedded in groups: all that were read so far change phase together."""
        if progress.phase == "reading":
            self._phases[progress.path] = "reading"
        else:
            self._phases.update(dict.fromkeys(self._phases, "embedding"))
        self.progress = progress


@dataclass(frozen=True)
class UploadedDocument:
    """One file of a batch: its phase is waiting, reading or embedding; with a report it is done."""

    path: str
    phase: str
    report: DocumentReport | None

    @property
    def failed(self) -> bool:
        """Whether it could not be read."""
        return self.report is not None and self.report.status == "failed"

    @property
    def under_way(self) -> bool:
        """Whether it is being read or embedded now."""
        return self.report is None and self.phase != "waiting"


class UploadQueue:
    """The newest batch of every knowledge base; each indexes one batch at a time."""

    def __init__(self) -> None:
        self._tasks: TaskRegistry[UploadTask] = TaskRegistry(
            "Files are still being added to this knowledge base. Wait until they are, or stop it."
        )

    def start(
        self,
        name: str,
        open_base: Callable[[], KnowledgeBase],
        *,
        uploads: Sequence[Upload] = (),
        paths: Sequence[Path | str] = (),
        force: bool = False,
        password: str | None = None,
    ) -> UploadTask:
        """Begin to index files, folders and addresses; `password` opens encrypted ones.

        Raises AssistantError for a missing path, or while a batch is running.
        """
        for path in paths:
            if not is_url(str(path)) and not Path(path).exists():
                raise AssistantError(
                    f"There is no file or folder {str(path)!r} on this machine. Check its path."
                )
        task = UploadTask()
        return self._tasks.start(name, task, lambda: task.index(open_base, uploads, paths, force, password))

    def rebuild(
        self, name: str, open_base: Callable[[], KnowledgeBase], fetch: Fetch | None = None
    ) -> UploadTask:
        """Begin to embed a knowledge base again; `fetch` brings the model first.

        Raises AssistantError while a batch is running.
        """
        task = UploadTask()
        return self._tasks.start(name, task, lambda: task.rebuild(open_base, fetch))

    def get(self, name: str) -> UploadTask | None:
        """The newest batch of a knowledge base, running or finished."""
        return self._tasks.get(name)

    def dismiss(self, name: str) -> None:
        """Remove the report of a finished batch."""
        self._tasks.remove(name)


def with_scheme(text: str) -> str:
    """A typed web address with its scheme; https where none was typed."""
    text = text.strip()
    return text if "://" in text else f"https://{text}"


def visible_documents(
    documents: Sequence[UploadedDocument], finished: int = 4, waiting: int = 12
) -> list[UploadedDocument]:
    """Those of a large batch to show: failed and current ones, the last finished and the next waiting."""
    done = [one for one in documents if one.report is not None and not one.failed]
    ahead = [one for one in documents if one.report is None and not one.under_way]
    left_out = {one.path for one in [*done[:-finished], *ahead[waiting:]]}
    return [one for one in documents if one.path not in left_out]
