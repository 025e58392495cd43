"""Token probabilities: of the next token after a text, and of each token of an answer.

The model runs once; temperature and top-p are arithmetic on its logits. It draws nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from assistant.engines.local import LocalEngine
from assistant.errors import AssistantError, PromptTooLongError
from tuning.data.examples import Message
from tuning.models.base_model import BaseModel
from tuning.models.decoding import TextStream, decode, step

Logits = NDArray[np.float32]  # (vocabulary,)
Probs = NDArray[np.float64]

MAX_TOKENS = 1024  # of a text: each token of an answer needs a row of the whole vocabulary


@dataclass(frozen=True)
class NextToken:
    """A candidate for the next token."""

    id: int
    text: str  # as it is appended, with the space that it begins with
    probability: float  # after temperature and top-p: what sampling draws from
    raw_probability: float  # before temperature and top-p
    ends_answer: bool  # it is an end-of-turn token

    @property
    def is_excluded(self) -> bool:
        """Whether temperature and top-p exclude it."""
        return self.probability == 0.0


@dataclass(frozen=True)
class AnswerToken:
    """One token of an answer, as a checkpoint and its base predict it."""

    text: str
    probability: float  # with the checkpoint
    base_probability: float  # with the base alone
    kl_divergence: float  # KL(checkpoint ‖ base) over the vocabulary at this position, in nats
    base_choice: str  # the base's likeliest token here

    @property
    def log_ratio(self) -> float:
        """ln(probability / base_probability): above 0 where the checkpoint made it likelier."""
        return float(np.log(max(self.probability, 1e-12)) - np.log(max(self.base_probability, 1e-12)))


def text_ids(base: BaseModel, text: str) -> list[int]:
    """The ids of a text to be continued, without a chat template. Raises AssistantError where it is empty."""
    ids: Any = base.tokenizer(text.rstrip(), add_special_tokens=False)["input_ids"]
    if not ids:
        raise AssistantError("There is no text to go on from. Write the beginning of a sentence.")
    return list(ids)


def answer_ids(base: BaseModel, messages: Sequence[Message], begun: str = "") -> list[int]:
    """The ids of a conversation up to a begun answer."""
    ids = base.chat_ids(messages, add_generation_prompt=True)
    begun = begun.rstrip()
    more: Any = base.tokenizer(begun, add_special_tokens=False)["input_ids"] if begun else []
    return [*ids, *more]


def next_logits(engine: LocalEngine, text: str, checkpoint: str | None = None) -> Logits:
    """The logits (vocabulary,) after a bare text. Raises AssistantError, EngineError."""
    with engine.with_checkpoint(checkpoint) as base:
        return _after(base, text_ids(base, text), checkpoint)


def next_logits_of_answer(
    engine: LocalEngine, messages: Sequence[Message], begun: str, checkpoint: str | None = None
) -> Logits:
    """The logits (vocabulary,) after a begun answer. Raises AssistantError, EngineError."""
    with engine.with_checkpoint(checkpoint) as base:
        return _after(base, answer_ids(base, messages, begun), checkpoint)


def answer_tokens(
    engine: LocalEngine, messages: Sequence[Message], answer: str, checkpoint: str | None = None
) -> list[AnswerToken]:
    """The probability of each token of an answer, with a checkpoint and with the base alone.

    Without a checkpoint both are the base. A character of several tokens counts as one.
    """
    with engine.with_checkpoint(checkpoint) as base:
        prompt = answer_ids(base, messages)
        said = answer_ids(base, messages, answer)[len(prompt) :]
        if not said:
            raise AssistantError("There is no answer to look at. Let the model answer, or write one.")
        ids = [*prompt, *said]
        _check_length(base, ids, checkpoint)
        after = _log_probs(base, ids, len(prompt), checkpoint)
        before = after if checkpoint is None else _log_probs(base, ids, len(prompt), None)
        return _merge_characters(base, said, after, before)


def sampling_probs(logits: Logits, temperature: float, top_p: float) -> Probs:
    """The probability (vocabulary,) with which `tuning.models.decoding.pick` draws each token.

    Temperature 0 leaves only the likeliest; top-p leaves the likeliest tokens that together reach it.
    """
    scores = logits.astype(np.float64)
    if temperature <= 0:
        only = np.zeros_like(scores)
        only[int(scores.argmax())] = 1.0
        return only
    drawn = _softmax(scores / temperature)
    if top_p < 1:
        order = np.argsort(-drawn, kind="stable")
        reached = np.cumsum(drawn[order]) - drawn[order]
        drawn[order[reached > top_p]] = 0.0
        drawn /= drawn.sum()
    return drawn


def top_tokens(
    base: BaseModel, logits: Logits, count: int, temperature: float = 1.0, top_p: float = 1.0
) -> list[NextToken]:
    """The `count` likeliest tokens before temperature and top-p, likeliest first."""
    plain, drawn = _softmax(logits.astype(np.float64)), sampling_probs(logits, temperature, top_p)
    best = np.argsort(-plain, kind="stable")[:count]
    return [
        NextToken(
            int(token),
            _text(base, int(token)),
            float(drawn[token]),
            float(plain[token]),
            token in base.stop_ids,
        )
        for token in best
    ]


def _after(base: BaseModel, ids: list[int], checkpoint: str | None) -> Logits:
    _check_length(base, ids, checkpoint)
    with base.activate(checkpoint):
        logits: Logits = step(base.model, ids, base.new_cache()).float().cpu().numpy()
    return logits


def _check_length(base: BaseModel, ids: Sequence[int], checkpoint: str | None) -> None:
    room = min(MAX_TOKENS, base.prompt_capacity(checkpoint))
    if len(ids) > room:
        raise PromptTooLongError(
            f"The text has {len(ids):,} tokens, and {room:,} can be looked at here. Shorten it.",
            tokens=len(ids),
            window=room,
        )


def _log_probs(base: BaseModel, ids: Sequence[int], start: int, checkpoint: str | None) -> torch.Tensor:
    """The log-probabilities (tokens, vocabulary) at the positions from `start` on."""
    return torch.log_softmax(base.logits(ids[:-1], adapter=checkpoint)[start - 1 :].cpu(), dim=-1)


def _merge_characters(
    base: BaseModel, said: Sequence[int], after: torch.Tensor, before: torch.Tensor
) -> list[AnswerToken]:
    """One entry for each piece of text: the tokens of one character are one piece."""
    apart = (after.exp() * (after - before)).sum(-1)
    stream, found, open_places = TextStream(base.tokenizer), list[AnswerToken](), list[int]()
    for place, token in enumerate(said):
        open_places.append(place)
        text = stream.push(token) or (stream.flush() if place == len(said) - 1 else "")
        if text:
            found.append(
                AnswerToken(
                    text,
                    float(sum(after[p, said[p]] for p in open_places).exp()),  # type: ignore[union-attr]
                    float(sum(before[p, said[p]] for p in open_places).exp()),  # type: ignore[union-attr]
                    float(sum(apart[p] for p in open_places)),
                    _text(base, int(before[open_places[0]].argmax())),
                )
            )
            open_places = []
    return found


def _text(base: BaseModel, token: int) -> str:
    return decode(base.tokenizer, [token])


def _softmax(scores: Probs) -> Probs:
    exponents: Probs = np.exp(scores - scores.max())
    return exponents / exponents.sum()
