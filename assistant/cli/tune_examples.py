"""What `imprint tune` learns from: files, conversations, documents, notes, and what a checkpoint does not hold."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.cli.output import say
from assistant.errors import NothingToLearnError
from assistant.workspace import Workspace
from tuning.checkpoints.notes import missing_examples

if TYPE_CHECKING:
    from assistant.curation.candidates import Curation, Labeller
    from tuning.data.examples import Example


@dataclass(frozen=True)
class Given:
    """Where a person said that the examples are."""

    files: tuple[Path, ...]
    conversations: tuple[int, ...]
    documents: tuple[str, ...]
    knowledge_base: str | None  # that of `documents`
    notes: bool
    missing: str | None  # the checkpoint that is taught again
    with_model: bool = False  # whether models write examples too


def read_examples(workspace: Workspace, given: Given, parent: str | None) -> "list[Example]":
    """The examples of all that was given. Raises AssistantError, CheckpointError, NothingToLearnError."""
    learned = _of_files(given.files)
    reader = _reader(workspace) if given.with_model and given.conversations else None
    learned += _of_conversations(workspace, given.conversations, parent, reader)
    labeller = _labeller(workspace) if given.with_model and given.documents else None
    learned += stated_in(workspace, given.documents, given.knowledge_base, parent, labeller)
    learned += workspace.notes.home.list() if given.notes else []
    learned += _missing_in(workspace, given.missing) if given.missing else []
    if not learned:
        raise NothingToLearnError("Nothing to learn: what was given holds no question with an answer.")
    return learned


def _of_files(files: tuple[Path, ...]) -> "list[Example]":
    from assistant.curation.from_files import examples_of_file

    learned: list[Example] = []
    for file in files:
        read = examples_of_file(file)
        for note in read.notes:
            say(f"{file}: {note}")
        learned += read.examples
    return learned


def _labeller(workspace: Workspace) -> "Labeller":
    """The chosen model as one that writes examples. Raises EngineError."""
    from assistant.curation.labeller import ModelLabeller
    from assistant.engines.langchain_model import ImprintChatModel

    return ModelLabeller(ImprintChatModel(engine=workspace.engine()))


def _reader(workspace: Workspace) -> "Labeller":
    """The tuned reader of messages, and the chosen model besides where it is capable. Raises EngineError."""
    from assistant.curation.labeller import LabellersInTurn
    from assistant.curation.reader.fact_reader import FactReader  # heavy: torch

    reader = FactReader(workspace.settings.home)
    is_small = workspace.chat.capability() == "small"
    return reader if is_small else LabellersInTurn(reader, _labeller(workspace))


def _by_model(found: "Curation") -> "list[Example]":
    return [one.example for one in found.candidates if one.kind == "written"]


def _of_conversations(
    workspace: Workspace, ids: tuple[int, ...], parent: str | None, labeller: "Labeller | None"
) -> "list[Example]":
    if not ids:
        return []
    from assistant.curation.from_chat import curate

    known = [one.example for one in workspace.registry.examples_of(parent)] if parent else []
    found = curate([workspace.store.get(one) for one in ids], known=known, labeller=labeller)
    if not found.examples and not _by_model(found) and found.plain:
        say(
            f"Nothing in it was rated, corrected or stated: all {len(found.plain)} answers are learned as they are."
        )
    return [*found.examples, *_by_model(found)] or found.plain


def _missing_in(workspace: Workspace, name: str) -> "list[Example]":
    """What a checkpoint was taught and does not hold. Raises CheckpointError, NothingToLearnError."""
    registry = workspace.registry
    found = missing_examples(registry.get(name), registry.earlier_examples(name, []))
    if not found:
        raise NothingToLearnError(
            f"Nothing to teach again: {name!r} holds every fact that its report asks for."
        )
    return found


def stated_in(
    workspace: Workspace,
    names: tuple[str, ...],
    kb: str | None,
    parent: str | None,
    labeller: "Labeller | None" = None,
) -> "list[Example]":
    """What documents of a knowledge base state. Raises AssistantError for a name that is not there."""
    if not names:
        return []
    from assistant.curation.from_documents import curate_passages
    from assistant.documents.listing import find_documents

    knowledge = workspace.existing_knowledge(kb)
    passages = [
        p for info in find_documents(knowledge.documents(), names) for p in knowledge.passages(info.id)
    ]
    known = [one.example for one in workspace.registry.examples_of(parent)] if parent else []
    found = curate_passages(passages, known=known, labeller=labeller)
    return [*found.examples, *_by_model(found)]
