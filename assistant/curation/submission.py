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
_SOURCE = re.compile(r"conversation (\d+)(?:, turn (\d+))?\b")


@dataclass(frozen=True)
class EditedRow:
    """One line of the table as a person left it."""

    learn: bool
    question: str
    answer: str
    # The candidate that it shows, as `line_key`; "" for a line that was added by hand.
    of: str = ""


def line_key(candidate: Candidate) -> str:
    """What a line of the table knows its candidate by, also after more was said."""
    example = candidate.example
    return "\n".join((example.source, example.question, example.answer))


def chosen_examples(candidates: Sequence[Candidate], rows: Sequence[EditedRow]) -> list[Example]:
    """The examples of the ticked rows, as edited.

    Raises NothingToLearn when no row is ticked, and quotes a ticked row that lacks its question or answer.
    """
    there = {line_key(candidate): candidate.example for candidate in candidates}
    examples = []
    for row in rows:
        if row.learn:
            _check(row)
            examples.append(_edited(there.get(row.of), row.question.strip(), row.answer.strip()))
    if not examples:
        raise NothingToLearnError("No example is ticked. Tick at least one line that should be learned.")
    return examples


def _check(row: EditedRow) -> None:
    question, answer = row.question.strip(), row.answer.strip()
    if not question and not answer:
        raise NothingToLearnError("A ticked line is empty. Fill it in, or untick it.")
    if not answer:
        raise NothingToLearnError(f"A ticked line has no answer. Write one, or untick the line: {question}")
    if not question:
        raise NothingToLearnError(f"A ticked line has no question. Write one, or untick the line: {answer}")


def _edited(before: Example | None, question: str, answer: str) -> Example:
    if before is not None and (before.question, before.answer) == (question, answer):
        return before
    turns = ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
    if before is None:
        return Example(turns, "added by hand", "added by you", tuple(rephrase(question)))
    probes = before.probes if before.question == question else tuple(rephrase(question))
    return replace(before, messages=(*before.messages[:-2], *turns), reason=EDITED, probes=probes)


def turn_of(source: str) -> tuple[int, int] | None:
    """The conversation and the turn that an example names as its source; None for any other source."""
    found = _SOURCE.match(source)
    return (int(found[1]), int(found[2])) if found and found[2] else None


def conversations_of(job: Job) -> frozenset[int]:
    """The conversations that a job learns from, as its examples say."""
    found = (_SOURCE.match(example.source) for example in JobFolder(job.folder).examples())
    return frozenset(int(match[1]) for match in found if match)
