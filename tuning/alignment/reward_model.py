"""A reward model at work: a base with a reward checkpoint's adapter, which scores answers. Trains nothing."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tuning.alignment.reward_head import RewardHead, scored
from tuning.alignment.sequences import MAX_TOKENS, encoded_answer, groups, without_oldest_turn
from tuning.checkpoints.manifest import Checkpoint
from tuning.data.examples import Message
from tuning.errors import CheckpointError, ModelError
from tuning.models.adapters import Adapter
from tuning.models.base_model import BaseModel
from tuning.models.forward import forward_states
from tuning.models.packing import MULTIPLE, Encoded, pack, with_system
from tuning.models.prefix import PrefixInput

Answered = tuple[Sequence[Message], str]  # a prompt, and an answer to it


class RewardModel:
    """Scores answers: the difference of two scores is the log-odds that people prefer the first.

    Scores of answers to different prompts cannot be compared.
    """

    def __init__(self, base: BaseModel, name: str, head: RewardHead, system_prompt: str = "") -> None:
        self.base, self.name, self._head, self._system_prompt = base, name, head, system_prompt

    @classmethod
    def open(cls, base: BaseModel, checkpoint: Checkpoint) -> "RewardModel":
        """The reward model of a checkpoint, loaded beside what the base holds. Raises CheckpointError."""
        if not checkpoint.is_reward_model:
            raise CheckpointError(
                f"{checkpoint.name!r} was made by {checkpoint.method!r} and is no reward model. Train one with the "
                "method 'reward'."
            )
        base.load_checkpoint(checkpoint)
        return cls(base, checkpoint.name, RewardHead.read(checkpoint.path), checkpoint.system_prompt)

    @classmethod
    def of(
        cls, base: BaseModel, name: str, adapter: Adapter, head: RewardHead, system_prompt: str = ""
    ) -> "RewardModel":
        """The reward model of an adapter and a head, kept under this name."""
        base.add_adapter(name, adapter)
        return cls(base, name, head, system_prompt)

    def score(self, prompt: Sequence[Message], answer: str) -> float:
        """The score of one answer. Raises ModelError where prompt and answer do not fit the window."""
        return self.scores([(prompt, answer)])[0]

    def scores(self, answered: Sequence[Answered]) -> list[float]:
        """The scores of many answers. Raises ModelError where one is no number, or does not fit the window."""
        return self.scores_of([self._encoded(prompt, answer) for prompt, answer in answered])

    def scores_of(self, items: Sequence[Encoded]) -> list[float]:
        """The scores of answers that are encoded already, with the token that ends them where they have ended."""
        items = [scored(one) for one in items]
        order = sorted(range(len(items)), key=lambda place: len(items[place].ids))
        found = [0.0] * len(items)
        with self.base.activate(self.name):
            ranked = self._scores([items[place] for place in order]) if items else []
        for place, value in zip(order, ranked, strict=True):
            found[place] = value
        return found

    @torch.no_grad()
    def _scores(self, items: Sequence[Encoded]) -> list[float]:
        parts: list[Tensor] = []
        for group in groups(items, MAX_TOKENS):
            cache = self.base.new_cache()
            row = pack(group, MULTIPLE).to(self.base.device)
            states = forward_states(self.base, row, PrefixInput(cache.get_seq_length(), cache))
            parts.append(self._head.scores(states).cpu())
        scores = torch.cat(parts)
        if not bool(torch.isfinite(scores).all()):
            raise ModelError(
                f"The reward model {self.name!r} gave a score that is no number. Its files may be damaged: train it "
                "again, with a lower learning rate."
            )
        return [float(one) for one in scores]

    def _encoded(self, prompt: Sequence[Message], answer: str) -> Encoded:
        """The pair as ids, without the oldest turns that do not fit."""
        messages, most = with_system(prompt, self._system_prompt), self.base.prompt_capacity(self.name) - 1
        while True:
            found = encoded_answer(self.base, messages, answer)
            if len(found.ids) <= most:
                return found
            shorter = without_oldest_turn(messages)
            if shorter is None:
                raise ModelError(
                    f"The prompt and its answer have {len(found.ids)} tokens, and the reward model {self.name!r} "
                    f"reads {most}. Shorten them."
                )
            messages = shorter


def best_of(model: RewardModel, prompt: Sequence[Message], answers: Sequence[str]) -> list[tuple[str, float]]:
    """The answers with their scores, the best first."""
    scores = model.scores([(prompt, answer) for answer in answers])
    return sorted(zip(answers, scores, strict=True), key=lambda one: -one[1])
