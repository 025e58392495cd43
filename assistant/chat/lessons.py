"""What a turn asks of the lessons: the facts that a person taught, in notes or in a checkpoint."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from assistant.notes.lookup import Match


class Lessons(Protocol):
    """`assistant.notes.lookup.Notes` is one."""

    def find(self, question: str, checkpoint: str | None, beside_documents: bool = False) -> "Match | None":
        """The note or the learned fact that the question asks for; None where it asks for none."""
        ...

    def was_taught(self, checkpoint: str) -> bool:
        """Whether the checkpoint was taught facts, and no manner by preferences."""
        ...

    def is_made_up(self, question: str, checkpoint: str, answer: str, passages: Sequence[str] = ()) -> bool:
        """Whether a checkpoint's answer is none that it was taught, where it is asked for what it was.

        Or for what the `passages` are about, which hold no answer.
        """
        ...
