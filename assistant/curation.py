"""From conversations to examples: what a person taught, each with where it came from and why it is there.

Rules alone; no model is asked. What it cannot ground is left out, and said.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from assistant.errors import NothingToLearn
from assistant.records import Message, StoredConversation, StoredMessage
from assistant.rephrasing import rephrase
from tuning.examples import Example

# Kinds, the most certain first: the order in which they are shown and in which they win over each other.
REASONS = {
    "corrected": "corrected by you",
    "said": "you said so",
    "liked": "liked",
    "documents": "answered from documents",
    "plain": "plain turn",
}


@dataclass(frozen=True)
class Candidate:
    """An example that may be learned."""

    example: Example
    # A key of REASONS.
    kind: str
    # Whether it is learned unless a person says otherwise.
    ticked: bool = True
    # What a person should know about it: "replaces an earlier answer: …".
    note: str = ""

    @property
    def reason(self) -> str:
        """Why it is there, in words."""
        return self.example.reason


@dataclass(frozen=True)
class LeftOut:
    """Something that was said and is not offered."""

    text: str
    why: str
    source: str = ""
    # What would be learned when a person insists.
    candidate: Candidate | None = None


@dataclass(frozen=True)
class Curation:
    """What can be learned of some conversations, best first, and what was left out."""

    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def examples(self) -> list[Example]:
        """The examples of the ticked candidates."""
        return [candidate.example for candidate in self.candidates if candidate.ticked]


def curate(conversations: Sequence[StoredConversation], *, known: Iterable[Example] = ()) -> Curation:
    """Candidates of the conversations' active branches, oldest conversation first in time.

    `known` are examples that the checkpoint to be continued has already learned. Raises NothingToLearn.
    """
    found: list[Candidate] = []
    left_out: list[LeftOut] = []
    for conversation in sorted(conversations, key=lambda one: one.created):
        candidates, dropped = _of_conversation(conversation)
        found += candidates
        left_out += dropped
    found, dropped = _without_repeats(found)
    left_out += dropped
    found = _tick(_not_known(found, known))
    if not found:
        raise NothingToLearn(_nothing(left_out))
    order = list(REASONS)
    return Curation(tuple(sorted(found, key=lambda one: order.index(one.kind))), tuple(left_out))


def _of_conversation(conversation: StoredConversation) -> tuple[list[Candidate], list[LeftOut]]:
    candidates: list[Candidate] = []
    left_out: list[LeftOut] = []
    turns = _turns(conversation.messages)
    for number, (question, answer) in enumerate(turns, 1):
        source = f"conversation {conversation.id}, turn {number}"
        if answer.rating < 0 and not answer.correction:
            left_out.append(LeftOut(answer.content, "disliked, and no better answer given", source))
        elif answer.status != "complete" and not answer.correction:
            left_out.append(LeftOut(answer.content, f"the answer was {answer.status}", source))
        elif (answer.correction or answer.content).strip() and question.content.strip():
            candidates.append(_candidate(question, answer, source))
    return candidates, left_out


def _candidate(question: StoredMessage, answer: StoredMessage, source: str) -> Candidate:
    kind = "plain"
    if answer.correction:
        kind = "corrected"
    elif answer.rating > 0:
        kind = "liked"
    elif answer.sources:
        kind = "documents"
    messages: tuple[Message, ...] = (
        {"role": "user", "content": question.content.strip()},
        {"role": "assistant", "content": (answer.correction or answer.content).strip()},
    )
    example = Example(messages, source, REASONS[kind], tuple(rephrase(question.content)))
    return Candidate(example, kind)


def _turns(messages: Sequence[StoredMessage]) -> list[tuple[StoredMessage, StoredMessage]]:
    pairs = itertools.pairwise(messages)
    return [(first, second) for first, second in pairs if first.role == "user" and second.role == "assistant"]


def _without_repeats(found: Sequence[Candidate]) -> tuple[list[Candidate], list[LeftOut]]:
    """One candidate a question: the more certain kind wins, among equals the latest, and that is said."""
    order = list(REASONS)
    chosen: dict[str, Candidate] = {}
    left_out: list[LeftOut] = []
    for candidate in found:
        key = question_key(candidate.example)
        earlier = chosen.get(key)
        if earlier is None:
            chosen[key] = candidate
            continue
        newer_wins = order.index(candidate.kind) <= order.index(earlier.kind)
        winner, loser = (candidate, earlier) if newer_wins else (earlier, candidate)
        if same_text(winner.example.answer, loser.example.answer):
            chosen[key] = winner
            continue
        note = f"replaces an earlier answer: {loser.example.answer}" if newer_wins else winner.note
        chosen[key] = replace(winner, note=note)
        why = f"contradicts what counts now: {winner.example.answer}"
        left_out.append(LeftOut(loser.example.answer, why, loser.example.source))
    return list(chosen.values()), left_out


def _not_known(found: Sequence[Candidate], known: Iterable[Example]) -> list[Candidate]:
    learned = {question_key(example): example.answer for example in known}
    result = []
    for candidate in found:
        before = learned.get(question_key(candidate.example))
        if before is None:
            result.append(candidate)
        elif same_text(before, candidate.example.answer):
            result.append(replace(candidate, ticked=False, note="already learned"))
        else:
            result.append(replace(candidate, note=f"changes what was learned: {before}"))
    return result


def _tick(found: Sequence[Candidate]) -> list[Candidate]:
    """What nobody judged is learned only where nothing better was said."""
    judged = any(candidate.kind != "plain" for candidate in found)
    return [
        replace(candidate, ticked=candidate.ticked and not (judged and candidate.kind == "plain"))
        for candidate in found
    ]


def question_key(example: Example) -> str:
    """The same for questions that differ only in case, punctuation and polite words."""
    return "\n".join(
        normal(message["content"]) for message in example.messages[:-1] if message["role"] == "user"
    )


def normal(text: str) -> str:
    """Lower case, without accents of width, punctuation, articles and polite words."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = "".join(" " if unicodedata.category(letter)[0] in "PSZC" else letter for letter in text)
    text = re.sub(r"\b(please|could you|can you|tell me|do you know|a|an|the)\b", " ", text)
    return " ".join(text.split())


def same_text(first: str, second: str) -> bool:
    """Whether two answers say the same in the same words."""
    return normal(first) == normal(second)


def _nothing(left_out: Sequence[LeftOut]) -> str:
    if left_out:
        return (
            f"Nothing can be learned yet: {len(left_out)} answers were left out "
            f"({'; '.join(dict.fromkeys(item.why for item in left_out))}). "
            "Correct an answer, mark a good one with thumbs up, or state a fact in a message."
        )
    return (
        "Nothing can be learned yet: there is no question with an answer. "
        "Ask something and correct the answer, or state a fact in a message."
    )
