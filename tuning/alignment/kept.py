"""What must stay as the reference has it: general prompts, and what earlier rounds taught, with its probabilities."""

import random
from collections.abc import Sequence

import torch

from tuning.alignment.sequences import MAX_TOKENS, encoded_answer, groups
from tuning.augment.replay_prompts import REPLAY_PROMPTS
from tuning.config import TuneConfig
from tuning.data.examples import Message
from tuning.models.base_model import BaseModel
from tuning.models.forward import forward
from tuning.models.packing import Encoded, pack, with_system
from tuning.models.prefix import PrefixInput
from tuning.training.conversations import TrainingConversation
from tuning.training.replay import Replay, teacher

_ANSWER_TOKENS = (
    16  # of a general answer: what it says first is what must stay; the jobs on examples ask the same
)
GENERAL = 180


class KeptAnswers:
    """Draws what a step must not change. Computed once by the reference, before anything is learned."""

    def __init__(self, general: Sequence[Replay], earlier: Sequence[Replay], counts: tuple[int, int]) -> None:
        self._general, self._earlier, self._counts = general, earlier, counts

    def draw(self, rng: random.Random) -> list[Replay]:
        """Some general answers and some of earlier rounds."""
        pools = zip((self._general, self._earlier), self._counts, strict=True)
        return [one for pool, count in pools for one in rng.sample(pool, min(count, len(pool)))]


def kept_answers(
    base: BaseModel,
    config: TuneConfig,
    earlier: Sequence[TrainingConversation],
    reference: str | None,
    counts: tuple[int, int],
    general: int = GENERAL,
) -> KeptAnswers:
    """General prompts with the base's answers and examples of earlier rounds; the reference's view of both.

    `counts` is how many of each are drawn for a step; where that is 0, none is prepared.
    """
    replayed = _general(base, config.system_prompt, general) if counts[0] else []
    taught = [with_system(one.messages, config.system_prompt) for one in earlier] if counts[1] else []
    known = [encoded_answer(base, one[:-1], one[-1]["content"]) for one in taught]
    fitting = [one for one in known if len(one.ids) <= base.prompt_capacity(reference)]
    found = [with_reference(base, one, reference) for one in (replayed, fitting)]
    return KeptAnswers(found[0], found[1], counts)


def _general(base: BaseModel, system_prompt: str, count: int) -> list[Encoded]:
    spread = REPLAY_PROMPTS[:: max(1, len(REPLAY_PROMPTS) // count)]
    prompts: list[list[Message]] = [
        with_system([{"role": "user", "content": prompt}], system_prompt) for prompt in spread
    ]
    answers = base.complete(prompts, max_new_tokens=_ANSWER_TOKENS)
    return [encoded_answer(base, p, a) for p, a in zip(prompts, answers, strict=True) if a.strip()]


@torch.no_grad()
def with_reference(base: BaseModel, items: Sequence[Encoded], reference: str | None) -> list[Replay]:
    """The items with the reference's probabilities at each target."""
    found: list[Replay] = []
    with base.activate(reference):
        for group in groups(items, MAX_TOKENS // 2):
            cache = base.new_cache()
            row = pack(group, multiple=64).to(base.device)
            logits = forward(base, row, PrefixInput(cache.get_seq_length(), cache))
            parts = logits.split([len(one.targets) for one in group])
            found += [Replay(one, teacher(part.cpu())) for one, part in zip(group, parts, strict=True)]
    return found
