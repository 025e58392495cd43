"""From the edited table of candidates to the examples of a tuning job, and back to the conversations of a job."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.curation.candidates import Candidate
from assistant.errors import NothingToLearnError
from assistant.language.paraphrase import rephrase
from tuning.data.examples import Example
from tuning.jobs.folder import Job, JobFolder

EDITED = "edited by you"
_SOURCE = re.compile(r"conversation (\d+)\b")


@dataclass(frozen=True)
class EditedRow:
    """One line of the table as a person left it."""

    learn: bool
    question: str
    answer: str


def chosen_examples(candidates: Sequence[Candidate], rows: Sequence[EditedRow]) -> list[Example]:
    """The examples of the ticked rows, as edited; rows beyond the candidates were added by hand.

    Raises NothingToLearn when no row is ticked, and names a ticked row that lacks its question or answer.
    """
    examples = []
    for place, row in enumerate(rows):
        if not row.learn:
            continue
        if not row.question.strip() or not row.answer.strip():
            raise NothingToLearnError(
                f"Line {place + 1} lacks its question or its answer. Fill in both, or untick the line."
            )
        before = candidates[place].example if place < len(candidates) else None
        examples.append(_edited(before, row.question.strip(), row.answer.strip()))
    if not examples:
        raise NothingToLearnError("No example is ticked. Tick at least one line that should be learned.")
    return examples


def _edited(before: Example | None, question: str, answer: str) -> Example:
    if before is not None and (before.question, before.answer) == (question, answer):
        return before
    turns = ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
    if before is None:
        return Example(turns, "added by hand", "added by you", tuple(rephrase(question)))
    probes = before.probes if before.question == question else tuple(rephrase(question))
    return replace(before, messages=(*before.messages[:-2], *turns), reason=EDITED, probes=probes)


def conversations_of(job: Job) -> frozenset[int]:
    """The conversations that a job learns from, as its examples say."""
    found = (_SOURCE.match(example.source) for example in JobFolder(job.folder).examples())
    return frozenset(int(match[1]) for match in found if match)
