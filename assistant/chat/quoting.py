"""How much of the retrieved passages a prompt quotes: what the model can use, and what was asked for.

It chooses texts; whether they fit the context window is decided in `context_window`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from assistant.chat.excerpts import excerpts
from assistant.history.sources import Source
from tuning.models.capability import Capability

# Tokens of sentences for each passage that is read; None quotes passages whole. Measured by benchmarks/reading.py on
# questions that are not reported.
TOKENS_A_PASSAGE: dict[Capability, int | None] = {"small": 50, "capable": None, "strong": None}


@dataclass(frozen=True)
class Quoted:
    """Passages as a prompt may quote them, best first: those of which anything is quoted."""

    sources: tuple[Source, ...]

    @property
    def texts(self) -> list[str]:
        """What is quoted of each."""
        return [source.sent for source in self.sources]

    def as_sent(self, texts: Sequence[str]) -> tuple[Source, ...]:
        """The passages whose texts were sent, numbered as the model read them; `texts` are the first of `texts`.

        The last one may have been shortened to fit the window.
        """
        return tuple(
            replace(source, number=number, quoted="" if text == source.text else text)
            for number, (source, text) in enumerate(zip(self.sources, texts, strict=False), 1)
        )


def quote(
    question: str,
    passages: Sequence[Source],
    capability: Capability,
    wanted: int,
    count: Callable[[str], int],
) -> Quoted:
    """What to quote of `passages` for a model of this capability; `wanted` is how many are to be read.

    Passages that were quoted before (of an answer in the store) are quoted as they were then, attached files whole.
    """
    each = TOKENS_A_PASSAGE[capability]
    if each is None or any(source.quoted or source.is_attached for source in passages):
        return Quoted(tuple(passages))
    texts = excerpts(question, [source.text for source in passages], each * wanted, count)
    chosen = zip(passages, texts, strict=True)
    return Quoted(
        tuple(replace(one, quoted="" if text == one.text else text) for one, text in chosen if text.strip())
    )
