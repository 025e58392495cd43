"""The gate of a checkpoint: what it was taught and holds in no wording but the trained one stays beside it, as notes.

A note is an example, quoted by whoever answers with the checkpoint; this module knows neither models nor questions
that are like others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tuning.checkpoints.manifest import NOTES, Checkpoint
from tuning.data.examples import Example, read_examples, write_examples
from tuning.errors import CheckpointError
from tuning.scoring import normalise

# "held": every wording was answered; "noted": a note answers it; "contradicted": the same question was taught another
# answer too; "lost": nothing answers it.
State = Literal["held", "noted", "contradicted", "lost"]
STATES: tuple[State, ...] = ("lost", "contradicted", "noted", "held")


@dataclass(frozen=True)
class TaughtFact:
    """One taught question: in how many wordings it was asked and answered, and where its answer is now."""

    question: str
    answer: str
    right: int
    asked: int
    state: State

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "question": self.question,
            "answer": self.answer,
            "right": self.right,
            "asked": self.asked,
            "state": self.state,
        }


def stands_alone(example: Example) -> bool:
    """Whether its question is understood without turns before it, so that it can be asked and quoted anywhere."""
    return sum(message["role"] == "user" for message in example.messages) == 1


def not_held(examples: Sequence[Example], evaluation: Mapping[str, Any]) -> list[Example]:
    """The examples that were asked after training and not answered in every wording."""
    asked = _wordings(evaluation)
    return [
        example
        for example in examples
        if not all(asked.get((example.question, example.answer), (True,))) and stands_alone(example)
    ]


def notes_of_round(
    learned: Sequence[Example],
    evaluation: Mapping[str, Any],
    inherited: Sequence[Example] = (),
    earlier: Sequence[Example] = (),
) -> list[Example]:
    """The notes of a new checkpoint: what is not held, the parent's notes, and what it has lost of earlier rounds.

    What this round taught anew replaces an earlier note to the same question.
    """
    lost = {normalise(question) for question in (evaluation.get("earlier") or {}).get("lost", ())}
    forgotten = [e for e in earlier if normalise(e.question) in lost and stands_alone(e)]
    anew = {normalise(example.question) for example in learned}
    kept = {normalise(e.question): e for e in (*forgotten, *inherited) if normalise(e.question) not in anew}
    return [*kept.values(), *not_held(learned, evaluation)]


def notes_of(checkpoint: Checkpoint) -> list[Example]:
    """The notes beside a checkpoint; of one that was stored without any, those that its evaluation asks for."""
    path = checkpoint.path / NOTES
    if path.exists():
        return read_examples(path)
    return not_held(_examples(checkpoint), checkpoint.evaluation)


def remove_note(checkpoint: Checkpoint, key: str) -> Example:
    """Forget the note whose key begins so; the note that was removed. Raises CheckpointError."""
    notes = notes_of(checkpoint)
    found = [note for note in notes if key and note.key.startswith(key)]
    if len(found) != 1:
        raise CheckpointError(
            f"{len(found) or 'No'} notes of {checkpoint.name!r} begin with {key!r}. "
            f"There are: {', '.join(note.key[:8] for note in notes) or 'none'}."
        )
    write_examples(checkpoint.path / NOTES, [note for note in notes if note != found[0]])
    return found[0]


def taught_facts(checkpoint: Checkpoint) -> list[TaughtFact]:
    """Fact by fact, what is least safe first: held in the weights, kept in notes, contradicted, lost."""
    notes = notes_of(checkpoint)
    noted = {normalise(note.question): note.answer for note in notes}
    rows = _wordings(checkpoint.evaluation)
    answers: dict[str, set[str]] = {}
    for question, answer in [*rows, *((note.question, note.answer) for note in notes)]:
        answers.setdefault(normalise(question), set()).add(normalise(answer))
    facts = [
        TaughtFact(question, answer, sum(right), len(right), _state(question, right, noted, answers))
        for (question, answer), right in rows.items()
    ]
    asked = {normalise(question) for question, _ in rows}
    for question in (checkpoint.evaluation.get("earlier") or {}).get("lost", ()):
        if normalise(question) not in asked:
            state: State = "noted" if normalise(question) in noted else "lost"
            facts.append(TaughtFact(question, noted.get(normalise(question), ""), 0, 1, state))
    return sorted(facts, key=lambda fact: STATES.index(fact.state))


def counts(checkpoint: Checkpoint) -> dict[str, int]:
    """How many facts are in each state, and how many notes lie beside the checkpoint."""
    facts = taught_facts(checkpoint)
    in_state: dict[str, int] = {
        state: sum(fact.state == state for fact in facts) for state in reversed(STATES)
    }
    return {"facts": len(facts), "notes": len(notes_of(checkpoint)), **in_state}


def missing_examples(checkpoint: Checkpoint, taught: Sequence[Example]) -> list[Example]:
    """What is to be taught again: the notes, and what of `taught`, all rounds, the report does not call held."""
    missing = {normalise(fact.question) for fact in taught_facts(checkpoint) if fact.state != "held"}
    found = {normalise(example.question): example for example in taught}
    wanted = {question: found[question] for question in found if question in missing}
    return list({**wanted, **{normalise(note.question): note for note in notes_of(checkpoint)}}.values())


def _wordings(evaluation: Mapping[str, Any]) -> dict[tuple[str, str], list[bool]]:
    """Question and answer -> whether each wording of it was answered after training."""
    rows: dict[tuple[str, str], list[bool]] = {}
    for row in evaluation.get("facts") or ():
        key = str(row.get("question", "")), str(row.get("answer", ""))
        rows.setdefault(key, []).append(bool(row.get("correct_after")))
    return rows


def _state(
    question: str, right: Sequence[bool], noted: Mapping[str, str], answers: Mapping[str, set[str]]
) -> State:
    if all(right):
        return "held"
    if len(answers[normalise(question)]) > 1:
        return "contradicted"
    return "noted" if normalise(question) in noted else "lost"


def _examples(checkpoint: Checkpoint) -> list[Example]:
    has_some = checkpoint.examples is not None and checkpoint.examples.exists()
    return read_examples(checkpoint.examples) if has_some and checkpoint.examples else []
