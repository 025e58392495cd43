"""The note that answers a question: of the home, or of the checkpoint that answers it.

What a checkpoint was taught and holds is found as well: where it is what was asked for, the weights answer.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.notes.home_notes import HomeNotes
from knowledge.errors import KnowledgeError
from tuning.checkpoints.notes import notes_of, stands_alone
from tuning.data.examples import Example
from tuning.scoring import normalise

if TYPE_CHECKING:
    from assistant.notes.far_words import Judge
    from assistant.notes.matching import Encode
    from tuning.checkpoints.registry import Registry

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Match:
    """What a question asks for: a note to quote, or with `held` what the weights of the checkpoint answer."""

    fact: Example
    held: bool
    # Whether it is asked for in far words: it may be another fact's lesson.
    is_far: bool = False


class Notes:
    """Finds notes. Safe between threads."""

    def __init__(
        self,
        home_notes: HomeNotes,
        registry: "Registry",
        encode: "Encode",
        judge: "Callable[[str], Judge | None]" = lambda question: None,
    ) -> None:
        """`encode` is the packaged embedding model; `judge` tells which note answers a question in far words."""
        self.home = home_notes
        self._registry = registry
        self._encode = encode
        self._judge = judge

    def find(self, question: str, checkpoint: str | None, beside_documents: bool = False) -> Match | None:
        """What of notes and weights the question asks for; None where neither. Raises CheckpointError, ExampleError.

        In far words as well; in other scripts than Latin where the multilingual embedding model was fetched.
        """
        notes, held = self.consulted(checkpoint)
        if not notes and not held:
            return None
        from assistant.notes.asked_for import asked_for, asked_for_by_words  # heavy: numpy, the stemmer

        lessons = [*held, *notes]
        try:
            found = asked_for(question, lessons, self._encode, self._judge, beside_documents)
        except KnowledgeError as error:  # the embedding model cannot be opened
            log.warning("notes in their very words alone: %s", error)
            found = asked_for_by_words(question, lessons)
        return None if found is None else Match(found.quoted, found.lesson not in notes, found.is_far)

    def is_made_up(self, question: str, checkpoint: str, answer: str, passages: Sequence[str] = ()) -> bool:
        """Whether the weights say what no lesson holds, to a question about what they were taught.

        Or about what is in `passages`, which hold no answer. False where nothing here can tell. Raises
        CheckpointError, ExampleError.
        """
        from assistant.notes.far_words import is_made_up  # heavy: numpy, the stemmer

        notes, held = self.consulted(checkpoint)
        try:
            judge = self._judge(question)
            return judge is not None and is_made_up(question, answer, [*held, *notes], judge, passages)
        except KnowledgeError as error:  # the embedding model cannot be opened
            log.warning("answers are not held against the lessons: %s", error)
            return False

    def nearest(self, question: str, checkpoint: str) -> Example | None:
        """The lesson or note of a checkpoint that comes nearest to the question; None where none is about it.

        Raises CheckpointError, ExampleError.
        """
        from assistant.notes.far_words import nearest  # heavy: numpy, the stemmer

        notes, held = self.consulted(checkpoint)
        try:
            judge = self._judge(question)
            return None if judge is None else nearest(question, [*held, *notes], judge)
        except KnowledgeError as error:  # the embedding model cannot be opened
            log.warning("no lesson is looked for: %s", error)
            return None

    def consulted(self, checkpoint: str | None) -> tuple[list[Example], list[Example]]:
        """The notes that are consulted with a checkpoint, or without one, and what its weights hold besides.

        A note of the home that a checkpoint was taught is the checkpoint's affair: it passed its gate or is among
        its notes.
        """
        ours = self.home.list()
        if checkpoint is None:
            return ours, []
        stored = self._registry.get(checkpoint)
        taught = [e for e in self._registry.earlier_examples(stored.name, []) if stands_alone(e)]
        known = {(normalise(e.question), normalise(e.answer)) for e in taught}
        notes = notes_of(stored)
        notes += [e for e in ours if (normalise(e.question), normalise(e.answer)) not in known]
        questions = {normalise(note.question) for note in notes}
        return notes, [e for e in taught if normalise(e.question) not in questions]

    def was_taught(self, checkpoint: str) -> bool:
        """Whether the checkpoint was taught facts that stand alone, and nothing by preferences.

        Raises CheckpointError, ExampleError.
        """
        if any(one.is_from_preferences for one in self._registry.lineage(checkpoint)):
            return False
        return any(stands_alone(one) for one in self._registry.earlier_examples(checkpoint, []))
