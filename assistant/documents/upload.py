"""Files on their way into a knowledge base, in the background, whatever happens to the page that gave them.

It keeps uploads under the home and follows `KnowledgeBase.add`; reading and indexing are `knowledge`'s work.
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

# A file that a person gave to the page: its name and its bytes.
Upload = tuple[str, bytes]


@dataclass
class UploadTask(BackgroundTask):
    """One batch of files, as far as it has been read."""

    reports: list[DocumentReport] = field(default_factory=list)
    progress: IndexProgress | None = None
    files: list[str] = field(default_factory=list)  # paths and addresses, in the order in which they are read
    _phases: dict[str, str] = field(default_factory=dict)

    @property
    def lines(self) -> "list[UploadedDocument]":
        """How far each file is, in the order in which they are read."""
        reports = {report.path: report for report in list(self.reports)}
        paths = dict.fromkeys([*self.files, *reports])
        return [
            UploadedDocument(path, self._phases.get(path, "waiting"), reports.get(path)) for path in paths
        ]

    @property
    def locked(self) -> list[str]:
        """Files that a password would open."""
        return [report.path for report in self.reports if report.locked]

    def read(
        self,
        open_base: Callable[[], KnowledgeBase],
        uploads: Sequence[Upload],
        paths: Sequence[Path | str],
        force: bool,
        password: str | None,
    ) -> None:
        """Keep the uploads and index everything. Raises KnowledgeError, OSError."""
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

    def rebuild(self, open_base: Callable[[], KnowledgeBase]) -> None:
        """Embed everything anew with the chosen model. Raises KnowledgeError."""
        open_base().rebuild(watch=self._on_progress)

    def _on_report(self, report: DocumentReport, done: int, total: int) -> None:
        self.reports.append(report)

    def _on_progress(self, progress: IndexProgress) -> None:
        """Files are read one by one and indexed in groups: those read so far go on together."""
        if progress.phase == "reading":
            self._phases[progress.path] = "reading"
        else:
            self._phases.update(dict.fromkeys(self._phases, "embedding"))
        self.progress = progress


@dataclass(frozen=True)
class UploadedDocument:
    """One file of a batch: waiting, reading, embedding, or done, where there is a report."""

    path: str
    phase: str
    report: DocumentReport | None

    @property
    def failed(self) -> bool:
        """Whether it could not be read."""
        return self.report is not None and self.report.status == "failed"

    @property
    def under_way(self) -> bool:
        """Whether it is being read or indexed now."""
        return self.report is None and self.phase != "waiting"


class UploadQueue:
    """The newest batch of every knowledge base; one at a time for each."""

    def __init__(self) -> None:
        self._newest: TaskRegistry[UploadTask] = TaskRegistry(
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
        """Begin to index files, folders and addresses; `password` opens those that are encrypted.

        Raises AssistantError for a missing path, or while a batch is being read.
        """
        for path in paths:
            if not is_url(str(path)) and not Path(path).exists():
                raise AssistantError(
                    f"There is no file or folder {str(path)!r} on this machine. Check its path."
                )
        intake = UploadTask()
        return self._newest.start(
            name, intake, lambda: intake.read(open_base, uploads, paths, force, password)
        )

    def rebuild(self, name: str, open_base: Callable[[], KnowledgeBase]) -> UploadTask:
        """Begin to embed a knowledge base anew. Raises AssistantError while a batch is being read."""
        intake = UploadTask()
        return self._newest.start(name, intake, lambda: intake.rebuild(open_base))

    def get(self, name: str) -> UploadTask | None:
        """The newest batch of a knowledge base."""
        return self._newest.get(name)

    def forget(self, name: str) -> None:
        """Put away the lines of a batch that has ended."""
        self._newest.forget(name)


def as_address(text: str) -> str:
    """An address as a person types it, with its scheme."""
    text = text.strip()
    return text if "://" in text else f"https://{text}"


def shown(lines: Sequence[UploadedDocument], finished: int = 4, waiting: int = 12) -> list[UploadedDocument]:
    """Those of many lines that say what goes on: every failure, the last finished and the next waiting."""
    done = [line for line in lines if line.report is not None and not line.failed]
    ahead = [line for line in lines if line.report is None and not line.under_way]
    left_out = {line.path for line in [*done[:-finished], *ahead[waiting:]]}
    return [line for line in lines if line.path not in left_out]
