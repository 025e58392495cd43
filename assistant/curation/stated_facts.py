"""The facts that a person's message states: those that rules find, and those that a model writes of it.

What a model wrote counts only where the message holds it, and where no rule found the same. What a rule found is
checked where a tuned reader knows the language: what it does not find is right less often (benchmarks/statements.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.curation.candidates import Labeller, Reader
from assistant.language.extractive import is_supported
from assistant.language.facts import facts_in
from assistant.language.text import normal


@dataclass(frozen=True)
class StatedFact:
    """A question and its answer, whether a model wrote them, and whether a reader that was asked finds it too."""

    question: str
    answer: str
    by_model: bool = False
    is_doubtful: bool = False


def stated_facts(
    message: str, labeller: Labeller | None = None, *, by_rules: bool = True
) -> list[StatedFact]:
    """The facts of a message, each once: the rules' first, then what `labeller` adds."""
    found = [StatedFact(fact.question, fact.answer) for fact in facts_in(message)] if by_rules else []
    if labeller is None:
        return found
    written = labeller(message)
    if isinstance(labeller, Reader) and labeller.reads(message):
        answers = [normal(answer) for _, answer in written]
        found = [replace(one, is_doubtful=not overlaps(one.answer, answers)) for one in found]
    return [*found, *_added(message, written, [normal(one.answer) for one in found])]


def _added(message: str, written: Sequence[tuple[str, str]], known: Sequence[str]) -> list[StatedFact]:
    added: dict[str, StatedFact] = {}
    for question, answer in written:
        if overlaps(answer, known) or not is_supported(question, answer, message):
            continue
        added.setdefault(normal(answer), StatedFact(question, answer, by_model=True))
    return list(added.values())


def overlaps(answer: str, known: Sequence[str]) -> bool:
    """Whether an answer is a part of one of these, or one of them of it; `known` are normal."""
    bare = normal(answer)
    return any(bare in one or one in bare for one in known)
