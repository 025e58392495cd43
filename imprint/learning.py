"""What a program gives to be learned → examples and a tuning configuration."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import NothingToLearnError
from tuning.config import TuneConfig
from tuning.data.examples import Example, shortened
from tuning.errors import ExampleError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from assistant.workspace import Workspace
    from tuning.data.preferences import ReadPreferences

log = logging.getLogger(__name__)

Taught = str | Path | Example | Mapping[str, Any] | tuple[str, str]
Teachable = str | Path | Sequence[Taught]


def examples_of(
    workspace: "Workspace",
    given: Teachable | None,
    conversations: Sequence[int],
    parent: str | None,
    labeller: "BaseChatModel | None" = None,
) -> list[Example]:
    """The examples in what was given, then those of stored conversations. Raises TuningError, AssistantError."""
    several = [given] if isinstance(given, str | Path) else list(given or ())
    learned = [example for one in several for example in _read(one)]
    if conversations:
        learned += _curated(workspace, conversations, parent, labeller)
    if not learned:
        raise NothingToLearnError(
            "Nothing to learn: give `examples`, as files or as questions with answers, or `conversations`."
        )
    return learned


def preferences_of(given: str | Path) -> "ReadPreferences":
    """The pairs and judgements of a file in any format that is known; what cannot be read is logged. ExampleError."""
    from tuning.data.preferences import read_preferences  # most programs tune on examples

    read = read_preferences(given)
    for one in read.complaints:
        log.warning("%s: %s", one.place, one.reason)
    return read


def config_of(
    workspace: "Workspace",
    method: str,
    name: str | None,
    parent: str | None,
    base: str | None,
    options: Mapping[str, Any],
) -> TuneConfig:
    """The configuration of a job. Raises TypeError for an option that it does not have, MethodError for its value."""
    known = [field.name for field in fields(TuneConfig)]
    unknown = sorted(options.keys() - set(known))
    if unknown:
        raise TypeError(f"A tuning job has no option {unknown[0]!r}. It has: {', '.join(known)}.")
    settings = workspace.settings
    chosen = {"base": base or settings.base_model, "device": settings.device, **options}
    return TuneConfig(method=method, name=name, parent=parent, **chosen)


def _read(one: Taught) -> Iterator[Example]:
    from assistant.curation.from_files import (
        examples_of_file,
        with_probes,
    )  # heavy: the rules of two languages

    if isinstance(one, str | Path):
        read = examples_of_file(Path(one))
        for note in read.notes:
            log.warning("%s: %s", one, note)
        yield from read.examples
    elif isinstance(one, Example):
        yield with_probes(one)
    elif isinstance(one, Mapping):
        yield with_probes(Example.from_dict(one))
    elif len(one) == 2 and all(isinstance(text, str) for text in one):
        turns = (
            {"role": role, "content": text} for role, text in zip(("user", "assistant"), one, strict=True)
        )
        yield with_probes(Example(tuple(turns), reason="plain turn"))
    else:
        raise ExampleError(
            f"An example is a file, a question with its answer, or an object with messages; found "
            f"{shortened(repr(one))}."
        )


def _curated(
    workspace: "Workspace",
    conversations: Sequence[int],
    parent: str | None,
    labeller: "BaseChatModel | None",
) -> Sequence[Example]:
    from assistant.curation.from_chat import curate  # heavy: the rules of two languages
    from assistant.curation.labeller import ModelLabeller

    known = [one.example for one in workspace.registry.examples_of(parent)] if parent else []
    by_model = ModelLabeller(labeller) if labeller is not None else None
    found = curate([workspace.store.get(one) for one in conversations], known=known, labeller=by_model)
    written = [one.example for one in found.candidates if one.kind == "written"]
    return [*found.examples, *written] or found.plain
