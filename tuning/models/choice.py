"""How the next token is chosen where more than temperature and top-p decides: grammar, penalties, biases, likelihoods.

A `Choice` belongs to one answer. It knows neither prompts nor adapters; grammars are llguidance's.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from tuning.errors import ModelError
from tuning.models import decoding

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer

_KEPT: dict[int, "tuple[PreTrainedTokenizerBase, LLTokenizer]"] = {}


@dataclass(frozen=True)
class Likelihood:
    """A token and the natural logarithm of its probability, and the likeliest in its place."""

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...]


@dataclass(eq=False)
class Choice:
    """Chooses the tokens of one answer."""

    tokenizer: PreTrainedTokenizerBase
    stop_ids: tuple[int, ...]
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    # As in `assistant.engines.base.SamplingParams`; a grammar is one of llguidance, in Lark.
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    top_logprobs: int | None = None
    grammar: str = ""

    def __post_init__(self) -> None:
        self._generator = decoding.generator_of(self.seed)
        self._written: Counter[int] = Counter()
        self._likelihoods: list[Likelihood] = []

    def pick(self, logits: Tensor) -> int:
        """The next token from logits (vocabulary,). Raises ModelError where the grammar is at its end."""
        scores = logits.float().cpu().clone()
        likely = scores.log_softmax(-1) if self.top_logprobs is not None else None
        self._weigh(scores)
        if self.grammar:
            self._hold(scores)
        token = decoding.pick(scores, self.temperature, self.top_p, self._generator)
        self._written[token] += 1
        if self.grammar and token not in self.stop_ids:
            self._matcher.consume_token(token)
        if likely is not None and token not in self.stop_ids:
            self._note(token, likely)
        return token

    def take_likelihoods(self) -> list[Likelihood]:
        """The tokens since the last call."""
        taken, self._likelihoods = self._likelihoods, []
        return taken

    def _weigh(self, scores: Tensor) -> None:
        for token, bias in self.logit_bias.items():
            scores[token] += bias
        for token, times in self._written.items():
            scores[token] -= times * self.frequency_penalty + self.presence_penalty

    def _hold(self, scores: Tensor) -> None:
        """Leave only tokens that the grammar allows; at its end, the one that ends an answer."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)  # a bit a token
        if error := self._matcher.get_error():
            raise ModelError(f"The answer cannot be held to its shape: {error.splitlines()[0]}.")
        allowed = torch.from_numpy(np.unpackbits(bits, bitorder="little").astype(bool))
        scores[len(allowed) :] = -torch.inf
        scores[: len(allowed)][~allowed[: len(scores)]] = -torch.inf

    def _note(self, token: int, likely: Tensor) -> None:
        found = likely.topk(max(1, self.top_logprobs or 0))
        top = tuple(zip(found.indices.tolist(), found.values.tolist(), strict=True))
        self._likelihoods.append(Likelihood(token, float(likely[token]), top))

    @cached_property
    def _matcher(self) -> "LLMatcher":
        from llguidance import LLMatcher

        return LLMatcher(self._ll_tokenizer, self.grammar)

    @property
    def _ll_tokenizer(self) -> "LLTokenizer":
        """The tokenizer as llguidance knows it, made once: it takes a second."""
        held: Any = _KEPT.get(id(self.tokenizer))
        if held is None:
            from llguidance.hf import from_tokenizer

            tokenizer: Any = self.tokenizer
            made = from_tokenizer(tokenizer, eos_token=self.stop_ids[0])
            held = _KEPT[id(self.tokenizer)] = (
                self.tokenizer,
                made,
            )  # held too, so that its id stays its own
        return held[1]
