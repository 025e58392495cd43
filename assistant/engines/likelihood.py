"""How likely a model holds a given answer to be."""

from collections.abc import Sequence
from contextlib import closing
from typing import Protocol, runtime_checkable

from assistant.engines.base import Engine, SamplingParams
from assistant.engines.forwarding import answering_engine
from assistant.engines.pieces import Piece
from assistant.engines.shapes import Exactly
from tuning.data.examples import Message

_MOST_TOKENS = 96


@runtime_checkable
class AnswerScorer(Protocol):
    """An engine that tells how likely each token of a given answer is."""

    def answer_log_probabilities(
        self, messages: Sequence[Message], answer: str, checkpoint: str | None
    ) -> list[float]:
        """The log-probability of each of the answer's tokens behind the messages, in nats. Raises EngineError."""
        ...


def mean_log_probability(
    engine: Engine, messages: Sequence[Message], answer: str, checkpoint: str | None
) -> float:
    """The mean log-probability of the answer's tokens behind the messages, in nats; minus infinity where none is told.

    Raises EngineError, and UnsupportedOptionError where the engine can neither score an answer nor follow a grammar.
    """
    engine, checkpoint = answering_engine(engine, checkpoint)
    if isinstance(engine, AnswerScorer):
        found = engine.answer_log_probabilities(messages, answer, checkpoint)
    else:
        found = _written(engine, messages, answer, checkpoint)
    return sum(found) / len(found) if found else float("-inf")


def _written(engine: Engine, messages: Sequence[Message], answer: str, checkpoint: str | None) -> list[float]:
    """The answer is written under a grammar that allows nothing else."""
    params = SamplingParams(max_new_tokens=_MOST_TOKENS, top_logprobs=0, shape=Exactly(answer))
    found: list[float] = []
    with closing(engine.stream(messages, params, checkpoint=checkpoint)) as pieces:
        for piece in pieces:
            if isinstance(piece, Piece):
                found += [token.logprob for token in piece.tokens]
    return found
