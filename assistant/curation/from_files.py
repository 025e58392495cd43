"""Files that programs and people bring → examples, each with other wordings to be asked afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.language.paraphrase import rephrase
from tuning.data.examples import Example
from tuning.data.importers import import_file


@dataclass(frozen=True)
class FileExamples:
    """What one file teaches, and what a person should know of it, in sentences."""

    examples: Sequence[Example]
    notes: Sequence[str]


def examples_of_file(path: Path) -> FileExamples:
    """The examples of a file in any format that the importers know. Raises ExampleError."""
    read = import_file(path)
    without = [f"{read.skipped:,} of its records have no answer to learn."] if read.skipped else []
    return FileExamples([with_probes(example) for example in read.examples], [*read.notes, *without])


def with_probes(example: Example) -> Example:
    """With other wordings to be asked afterwards, where the file gave none and rules know some."""
    if example.probes or len([m for m in example.messages if m["role"] != "system"]) > 2:
        return example
    return replace(example, probes=rephrase(example.question, example.answer))
