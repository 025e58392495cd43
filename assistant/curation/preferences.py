"""What a conversation says about its answers: corrections over what they corrected, liked over disliked, thumbs.

Every branch is read, since a regenerated answer is a branch of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Generic, TypeVar

from assistant.chat.nothing_found import says_nothing_found
from assistant.curation.candidates import LeftOut
from assistant.curation.feedback import corrected_answer
from assistant.history.records import StoredMessage
from assistant.language.text import same_text
from knowledge.grounding.own_numbers import without_numbers
from tuning.data.examples import Message
from tuning.data.preferences import Judgement, PreferencePair
from tuning.errors import ExampleError

T = TypeVar("T", PreferencePair, Judgement)
# Where a preference comes from; a person stands behind all of them but the last.
KINDS = ("blind", "side_by_side", "correction", "regeneration", "imported", "judge")
# Where a single judgement comes from.
JUDGED = ("thumb", "both_bad", "imported")
NOTICE = "it is a notice of the app, and no answer of a model"
UNFINISHED = "the answer is not finished"
SAME = "both answers say the same"
REPEATED = "the preferred answer began to repeat itself"


@dataclass(frozen=True)
class Found(Generic[T]):
    """A pair or a judgement, and which of KINDS or JUDGED it is."""

    item: T
    kind: str


@dataclass
class Findings:
    """What was found so far, and what was left out, with the reason."""

    pairs: list[Found[PreferencePair]] = field(default_factory=list)
    judgements: list[Found[Judgement]] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def add_pair(self, prompt: Sequence[Message], chosen: str, rejected: str, source: str, kind: str) -> None:
        """Add a pair; one that says nothing is left out."""
        if not chosen.strip() or not rejected.strip() or same_text(chosen, rejected):
            self.left_out.append(LeftOut(_question(prompt), SAME, source))
            return
        try:
            self.pairs.append(Found(PreferencePair(tuple(prompt), chosen, rejected, source), kind))
        except ExampleError as error:  # a damaged row
            self.left_out.append(LeftOut(_question(prompt), str(error), source))

    def add_judgement(
        self, prompt: Sequence[Message], completion: str, good: bool, source: str, kind: str
    ) -> None:
        """Add a judgement of an answer."""
        try:
            self.judgements.append(Found(Judgement(tuple(prompt), completion, good, source), kind))
        except ExampleError as error:  # an empty answer, or a damaged row
            self.left_out.append(LeftOut(_question(prompt), str(error), source))


def read_feedback(messages: Sequence[StoredMessage], findings: Findings) -> None:
    """Add what all messages of a conversation, on every branch, say about its answers."""
    by_id = {message.id: message for message in messages}
    questions = [message for message in messages if message.role == "user" and message.content.strip()]
    for question in questions:
        prompt = _path(question, by_id)
        answers = [
            one
            for one in messages
            if one.parent_id == question.id and one.role == "assistant" and (one.rating or one.correction)
        ]
        usable = [one for one in answers if _is_usable(one, findings)]
        for answer in usable:
            _add_correction(prompt, question, answer, findings)
            _add_thumb(prompt, answer, findings)
        for better, worse in _unequal(usable):
            findings.add_pair(prompt, _said(better), _said(worse), _source(worse), "regeneration")


def _path(message: StoredMessage, by_id: dict[int, StoredMessage]) -> list[Message]:
    """The messages from the first to this one, corrected where they were."""
    path: list[Message] = []
    seen: set[int] = set()
    place: StoredMessage | None = message
    while place is not None and place.id not in seen:  # a damaged file may hold a circle
        seen.add(place.id)
        path.append(place.to_message())
        place = by_id.get(place.parent_id) if place.parent_id is not None else None
    path.reverse()
    return [one for number, one in enumerate(path) if one["role"] != "system" or number == 0]


def _is_usable(answer: StoredMessage, findings: Findings) -> bool:
    """Whether the answer is a model's, and whole; otherwise it is left out with the reason."""
    why = ""
    if says_nothing_found(answer.content):
        why = NOTICE
    elif answer.status != "complete" or not answer.content.strip():
        why = UNFINISHED
    elif answer.ending == "repeated" and answer.rating > 0:
        why = REPEATED
    if why:
        findings.left_out.append(LeftOut(answer.content, why, _source(answer)))
    return not why


def _add_correction(
    prompt: Sequence[Message], question: StoredMessage, answer: StoredMessage, findings: Findings
) -> None:
    if answer.correction and answer.correction.strip():
        better = corrected_answer(answer.correction, question.content) or answer.correction.strip()
        if not same_text(better, _said(answer)):  # only the spelling was mended
            findings.add_pair(prompt, better, _said(answer), _source(answer), "correction")


def _add_thumb(prompt: Sequence[Message], answer: StoredMessage, findings: Findings) -> None:
    if answer.rating:
        findings.add_judgement(prompt, _said(answer), answer.rating > 0, _source(answer), "thumb")


def _unequal(answers: Sequence[StoredMessage]) -> Iterator[tuple[StoredMessage, StoredMessage]]:
    """Every liked answer with every disliked one to the same question."""
    liked = [one for one in answers if one.rating > 0]
    disliked = [one for one in answers if one.rating < 0]
    return product(liked, disliked)


def _said(answer: StoredMessage) -> str:
    """The words of the model, without the numbers of passages that no prompt of a training holds."""
    return without_numbers(answer.content, len(answer.sources)).text.strip()


def _source(answer: StoredMessage) -> str:
    return f"conversation {answer.conversation_id}, message {answer.id}"


def _question(prompt: Sequence[Message]) -> str:
    return prompt[-1]["content"] if prompt else ""
