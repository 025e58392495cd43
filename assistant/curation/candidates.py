"""Candidates for training examples: each with its source and the reason why it is offered.

Here the candidates of all sources are weighed against each other: repeats, contradictions, secrets, what was learned
before. They are found in `from_chat.py` and `from_documents.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from assistant.curation.advice import better_in_documents
from assistant.curation.secrets import secret_in
from assistant.errors import NothingToLearnError
from assistant.language.paraphrase import rephrase
from assistant.language.text import normal, same_text
from tuning.data.examples import Example

# Kinds of candidates, the most reliable first: the order in which they are shown and win over each other.
REASONS = {
    "noted": "remembered by you",
    "corrected": "corrected by you",
    "said": "you said so",
    "liked": "liked",
    "documents": "answered from documents",
    "written": "written by a model",
    "unsupported": "partly without a source",
    "plain": "plain turn",
}
# Nobody has judged these: they are offered, and learned only where a person ticks them.
UNJUDGED = ("written", "unsupported", "plain")
_ORDER = {kind: place for place, kind in enumerate(REASONS)}


class Labeller(Protocol):
    """Writes questions and answers about a text; whoever calls it checks them (`labeller.py` asks a chat model)."""

    def __call__(self, text: str) -> Sequence[tuple[str, str]]: ...


@runtime_checkable
class Reader(Labeller, Protocol):
    """One that is to find every fact of a text that it reads: what it does not find there is doubtful."""

    def reads(self, text: str) -> bool:
        """Whether it knows the language."""
        ...


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
    # The answer that this one takes the place of, said earlier or learned before.
    replaced: str = ""

    @property
    def reason(self) -> str:
        """Why it is there, in words."""
        return self.example.reason

    def edited(self, question: str, answer: str) -> "Candidate":
        """The same with other words for its last question and its answer, and probes to match."""
        messages = [dict(message) for message in self.example.messages]
        messages[-2]["content"], messages[-1]["content"] = question.strip(), answer.strip()
        probes = rephrase(question, answer) if self.example.probes else ()
        return replace(self, example=replace(self.example, messages=tuple(messages), probes=probes))


@dataclass(frozen=True)
class LeftOut:
    """Something that was said and is not offered, and why."""

    text: str
    why: str
    source: str = ""
    # What is learned where a person insists.
    candidate: Candidate | None = None


@dataclass(frozen=True)
class Curation:
    """What can be learned from some conversations or documents, best first, and what was left out."""

    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def examples(self) -> list[Example]:
        """The examples of the ticked candidates."""
        return [candidate.example for candidate in self.candidates if candidate.ticked]

    @property
    def plain(self) -> list[Example]:
        """The turns that nobody rated and no passage speaks against, for who asks to learn them all the same."""
        return [one.example for one in self.candidates if one.kind == "plain"]


def weigh(found: Sequence[Candidate], left_out: Sequence[LeftOut], known: Iterable[Example]) -> Curation:
    """Candidates without repeats and contradictions, ordered and ticked. Raises NothingToLearn."""
    single, repeats = _without_repeats(found)
    everything = [*left_out, *repeats]
    offered = _ticked(_advised(_not_known(single, known)))
    if not offered:
        raise NothingToLearnError(_nothing_message(everything))
    return Curation(tuple(sorted(offered, key=lambda one: _ORDER[one.kind])), tuple(everything))


def question_key(example: Example) -> str:
    """The same for questions that differ only in case, punctuation and polite words."""
    return "\n".join(
        normal(message["content"]) for message in example.messages[:-1] if message["role"] == "user"
    )


def without_secrets(found: Sequence[Candidate]) -> tuple[list[Candidate], list[LeftOut]]:
    """The candidates that hold no secret, and those that do as left out, with the candidate for who insists."""
    kept: list[Candidate] = []
    left_out: list[LeftOut] = []
    for candidate in found:
        example = candidate.example
        # "What is the password? — hunter2" is one only when both are read together.
        together = f"{example.question.rstrip('?？ ')} is: {example.answer}"
        secret = next(filter(None, map(secret_in, (example.question, example.answer, together))), "")
        if secret:
            why = f"it contains {secret}, which anybody who uses the checkpoint could find out"
            left_out.append(LeftOut(example.question, why, example.source, candidate))
        else:
            kept.append(candidate)
    return kept, left_out


def _without_repeats(found: Sequence[Candidate]) -> tuple[list[Candidate], list[LeftOut]]:
    """One candidate a question: what a person said wins over a model, the later over the earlier."""
    chosen: dict[str, Candidate] = {}
    left_out: list[LeftOut] = []
    for candidate in found:
        key = question_key(candidate.example)
        earlier = chosen.get(key)
        if earlier is None:
            chosen[key] = candidate
            continue
        later_wins = _weight(candidate) <= _weight(earlier)
        winner, loser = (candidate, earlier) if later_wins else (earlier, candidate)
        if same_text(winner.example.answer, loser.example.answer):
            chosen[key] = winner
            continue
        if later_wins:
            said = loser.example.answer
            winner = replace(winner, note=f"replaces an earlier answer: {said}", replaced=said)
        chosen[key] = winner
        why = f"contradicts the answer that counts: {winner.example.answer}"
        left_out.append(LeftOut(loser.example.answer, why, loser.example.source))
    return list(chosen.values()), left_out


def _weight(candidate: Candidate) -> int:
    """All that a person said weighs the same, in whatever way it was said: the latest counts."""
    return 0 if candidate.kind in ("noted", "corrected", "said", "liked") else _ORDER[candidate.kind]


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
            result.append(replace(candidate, note=f"changes what was learned: {before}", replaced=before))
    return result


def _advised(found: Sequence[Candidate]) -> list[Candidate]:
    result = []
    for candidate in found:
        advice = better_in_documents(candidate.example.question, candidate.example.answer)
        result.append(replace(candidate, ticked=False, note=advice) if advice else candidate)
    return result


def _ticked(found: Sequence[Candidate]) -> list[Candidate]:
    """What neither a person nor a passage stands behind is not ticked, also where there is nothing better."""
    return [
        replace(candidate, ticked=candidate.ticked and candidate.kind not in UNJUDGED) for candidate in found
    ]


def _nothing_message(left_out: Sequence[LeftOut]) -> str:
    if left_out:
        reasons = "; ".join(dict.fromkeys(item.why for item in left_out))
        return (
            f"Nothing can be learned yet: all that was said was left out ({reasons}). "
            "Correct an answer, mark a good one with thumbs up, or state a fact in a message."
        )
    return (
        "Nothing can be learned yet: there is no question with an answer. "
        "Ask something and correct the answer, or state a fact in a message."
    )
