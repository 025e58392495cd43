"""Files on their way into a knowledge base, in the background, whatever happens to the page that gave them.

It keeps uploads under the home and follows `KnowledgeBase.add`; reading and indexing are `knowledge`'s work.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assistant.background import Newest, Work
from assistant.errors import AssistantError
from knowledge.index import DocumentReport, KnowledgeBase, Progress, safe_name

# A file that a person gave to the page: its name and its bytes.
Upload = tuple[str, bytes]


@dataclass
class Intake(Work):
    """One batch of files, as far as it has been read."""

    reports: list[DocumentReport] = field(default_factory=list)
    progress: Progress | None = None

    def read(
        self,
        open_base: Callable[[], KnowledgeBase],
        uploads: Sequence[Upload],
        paths: Sequence[Path],
        force: bool,
    ) -> None:
        """Keep the uploads and index everything. Raises KnowledgeError, OSError."""
        base = open_base()
        kept = [_keep(base, name, data) for name, data in uploads]
        base.add(
            [*kept, *paths],
            progress=self._on_report,
            watch=self._on_progress,
            should_stop=self.stop_event.is_set,
            force=force,
        )

    def _on_report(self, report: DocumentReport, done: int, total: int) -> None:
        self.reports.append(report)

    def _on_progress(self, progress: Progress) -> None:
        self.progress = progress


class Indexing:
    """The newest batch of every knowledge base; one at a time for each."""

    def __init__(self) -> None:
        self._newest: Newest[Intake] = Newest(
            "Files are still being added to this knowledge base. Wait until they are, or stop it."
        )

    def start(
        self,
        name: str,
        open_base: Callable[[], KnowledgeBase],
        *,
        uploads: Sequence[Upload] = (),
        paths: Sequence[Path] = (),
        force: bool = False,
    ) -> Intake:
        """Begin to index. Raises AssistantError for a missing path, or while a batch is being read."""
        for path in paths:
            if not path.exists():
                raise AssistantError(
                    f"There is no file or folder {str(path)!r} on this machine. Check its path."
                )
        intake = Intake()
        return self._newest.start(name, intake, lambda: intake.read(open_base, uploads, paths, force))

    def get(self, name: str) -> Intake | None:
        """The newest batch of a knowledge base."""
        return self._newest.get(name)

    def forget(self, name: str) -> None:
        """Put away the lines of a batch that has ended."""
        self._newest.forget(name)


def _keep(base: KnowledgeBase, name: str, data: bytes) -> Path:
    """Write an upload where `KnowledgeBase.remove` will find and delete it."""
    folder = base.folder / "files" / base.name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / safe_name(name)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(data)
    temporary.replace(path)
    return path
