"""`imprint doctor`: examines every part of a home and mends what it is told to."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from assistant.doctor import artefacts, conversations, home, knowledge
from assistant.doctor.findings import Aside, Finding
from assistant.doctor.salvage import CannotExamineError
from assistant.errors import KNOWN_ERRORS, AssistantError
from assistant.home.swap import finish_restore
from assistant.home.use import only_restore, sole_use
from assistant.settings import load_settings
from assistant.workspace import Workspace
from knowledge.base.knowledge_base import KnowledgeBase

# Decides whether a finding is to be mended.
Decide = Callable[[Finding], bool]


def examine(folder: Path, mend: Decide = lambda finding: False) -> Iterator[Finding]:
    """The findings, part by part; one that `mend` agrees to is mended when it comes."""
    examination = _Examination(folder, mend)
    try:
        yield from examination.run()
    finally:
        examination.close()


def examine_alone(folder: Path, mend: Decide) -> Iterator[Finding]:
    """Like `examine`, while nobody else uses the home. Raises AssistantError naming who does."""
    finish_restore(folder)
    with only_restore(folder), sole_use(folder, "mend it"):
        yield from examine(folder, mend)


class _Examination:
    def __init__(self, folder: Path, decide: Decide) -> None:
        self._home, self._decide = folder, decide
        self._aside = Aside(folder)
        self._workspace: Workspace | None = None
        self._closing = ExitStack()
        self._chroma_is_damaged = False

    def run(self) -> Iterator[Finding]:
        catalogues = self._home / "knowledge"
        if shutil.disk_usage(self._home).free < home.TOO_LITTLE_BYTES:
            message = "the disk is full: free some space first. Nothing else was examined"
            yield Finding("space", self._home.name, "damaged", message)
            return
        # In this order: what comes later opens what was mended before.
        for part in (
            home.examine_modes(self._home),
            home.examine_space(self._home),
            home.examine_leftovers(self._home),
            home.examine_settings(self._home, self._aside),
            home.examine_json(self._home, self._aside),
            conversations.examine_conversations(self._home / "conversations.sqlite3", self._aside),
            artefacts.examine_checkpoints(self._home, self._aside),
            artefacts.examine_jobs(self._home, self._aside),
            artefacts.examine_models(self._home, self._aside),
            knowledge.examine_chroma(catalogues / "chroma", self._aside),
            knowledge.examine_catalogues(catalogues, self._aside, self._open_base),
        ):
            try:
                yield from map(self._treat, part)
            except CannotExamineError as error:
                yield Finding("file", self._home.name, "damaged", str(error))
                return
        try:
            settings = load_settings()
        except AssistantError as error:
            if str(self._home / "settings.json") not in str(error):  # else it has been said
                yield Finding("settings", "environment", "damaged", str(error))
            return
        yield from map(self._treat, home.examine_weights(self._home, settings.base_model))
        if not self._chroma_is_damaged:
            vectors = knowledge.examine_vectors(catalogues, settings.chroma_url, self._open_base)
            yield from map(self._treat, vectors)

    def close(self) -> None:
        self._closing.close()

    def _treat(self, finding: Finding) -> Finding:
        treated = self._mended(finding)
        if treated.part == knowledge.VECTORS and treated.status == "damaged":
            self._chroma_is_damaged = True  # opening it here could end this process
        return treated

    def _mended(self, finding: Finding) -> Finding:
        if finding.mend is None or not self._decide(finding):
            return finding
        try:
            return finding.mended()
        except KNOWN_ERRORS as error:
            return Finding(
                finding.part, finding.name, "damaged", f"{finding.message}. It was not mended: {error}"
            )

    def _open_base(self, name: str) -> KnowledgeBase:
        if self._workspace is None:
            self._workspace = Workspace(load_settings().model_copy(update={"home": self._home}))
            self._closing.callback(self._workspace.close)
        return self._workspace.knowledge(name)
