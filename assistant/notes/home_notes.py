"""The notes of a home: what a person asked to be remembered, from the next question on.

They stay until they are deleted; whether a checkpoint holds them too is decided in `lookup`.
"""

from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from assistant.errors import NoteError
from assistant.language.paraphrase import rephrase
from assistant.storage import write_whole
from tuning.data.examples import Example, read_examples
from tuning.scoring import normalise
from tuning.storage import dumps

FILE = "notes.jsonl"
REASON = "remembered by you"


class HomeNotes:
    """The notes in one file. Safe between threads and processes."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE
        self._lock = FileLock(home / f".{FILE}.lock")

    def list(self) -> list[Example]:
        """The notes, oldest first. Raises ExampleError where the file is damaged."""
        return read_examples(self._path) if self._path.exists() else []

    def add(self, question: str, answer: str, source: str = "") -> Example:
        """Keep a note; one to the same question is replaced. Raises NoteError."""
        question, answer = question.strip(), answer.strip()
        if not question or not answer:
            raise NoteError(
                f"A note needs a question and its answer; found {question!r} and {answer!r}. Write both."
            )
        turns = ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
        note = Example(turns, source, REASON, tuple(rephrase(question, answer)))
        with self._lock:
            others = [one for one in self.list() if normalise(one.question) != normalise(question)]
            self._write([*others, note])
        return note

    def remove(self, key: str) -> Example:
        """Delete the note whose key begins so, and return it. Raises NoteError."""
        with self._lock:
            notes = self.list()
            found = [note for note in notes if key and note.key.startswith(key)]
            if len(found) != 1:
                known = ", ".join(note.key[:8] for note in notes) or "none"
                raise NoteError(f"{len(found) or 'No'} notes begin with {key!r}. There are: {known}.")
            self._write([note for note in notes if note != found[0]])
        return found[0]

    def _write(self, notes: Sequence[Example]) -> None:
        write_whole(self._path, "".join(dumps(note.to_dict()) + "\n" for note in notes), private=True)
