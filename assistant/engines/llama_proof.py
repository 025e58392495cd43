"""The proof that an adapter is active in llama.cpp, as `tuning.models.base_model` proves it in torch.

With the adapter, the model's next token must be otherwise likely than without; without it, exactly as likely as it
was before the adapter was there; and the checkpoint's probe must be known as surely as when it was made.
"""

import math
from collections.abc import Sequence
from typing import Any, Protocol

from assistant.engines.llama_prompts import LlamaPrompts
from assistant.errors import EngineError
from tuning.checkpoints.manifest import Checkpoint

Likelihoods = dict[int, float]  # token id → natural logarithm of its probability


class Predict(Protocol):
    """How likely tokens are after the ids, with the adapter or without."""

    def __call__(self, ids: Sequence[int], *, adapted: bool) -> Likelihoods: ...


PROOF = ({"role": "user", "content": "What do you know?"},)
TOLERANCE = 0.7  # nats a token: far above what another engine or precision changes
CHOICES = 100  # likeliest tokens that are looked at


def request(ids: Sequence[int]) -> dict[str, Any]:
    """The body that asks how likely the likeliest tokens are after the ids.

    One that ends within a character is told of only with the character's last: so a whole one is written.
    """
    return {
        "prompt": list(ids),
        "n_predict": 1,
        "temperature": 0.0,
        "samplers": ["temperature"],
        "n_probs": CHOICES,
        "logit_bias": [["a", 1000.0]],  # the probabilities are those before it
        "cache_prompt": True,
    }


def likelihoods(reply: dict[str, Any]) -> Likelihoods:
    """What a reply to `request` says of the next token. Raises EngineError."""
    try:
        found = reply["completion_probabilities"][0]["top_logprobs"]
        return {int(one["id"]): float(one["logprob"]) for one in found}
    except (LookupError, TypeError, ValueError) as error:
        raise EngineError(f"llama.cpp gave no probabilities for a token ({error!r}).") from error


def prove(
    checkpoint: Checkpoint, prompts: LlamaPrompts, predict: Predict, base_before: Likelihoods, base: str
) -> float:
    """The largest change of a likely token, in nats. Raises EngineError where the adapter does nothing or harm."""
    ids = prompts.ids(PROOF)
    if predict(ids, adapted=False) != base_before:
        raise EngineError(
            f"With checkpoint {checkpoint.name!r} loaded, {base!r} answers otherwise than before, though it "
            "was asked without it. Use the torch engine for this checkpoint."
        )
    change = largest_change(predict(ids, adapted=True), base_before)
    if not change > 0:  # also catches NaN
        raise EngineError(
            f"Checkpoint {checkpoint.name!r} changes no answer of {base!r}: its weights were read and do "
            "nothing. It was tuned for other layers, or never trained; tune again."
        )
    if checkpoint.probe:
        _remembers(checkpoint, prompts, predict)
    return change


def largest_change(now: Likelihoods, before: Likelihoods) -> float:
    """The largest difference for a token that is likely in both; without end where they share none."""
    shared = now.keys() & before.keys()
    return max((abs(now[one] - before[one]) for one in shared), default=math.inf)


def _remembers(checkpoint: Checkpoint, prompts: LlamaPrompts, predict: Predict) -> None:
    """The example kept as a probe must be known as surely as when training ended."""
    *question, answer = checkpoint.probe["messages"]
    prompt = prompts.ids(question)
    tokens = [*prompts.encode(answer["content"].strip()), prompts.stop_ids[0]]
    surprise = 0.0
    for place, token in enumerate(tokens):
        choices = predict([*prompt, *tokens[:place]], adapted=True)
        surprise -= choices.get(token, min(choices.values())) / len(tokens)  # at least so much
    if surprise > checkpoint.probe["surprise"] + TOLERANCE:
        raise EngineError(
            f"Checkpoint {checkpoint.name!r} was read, and does not know what it was taught: "
            f"{question[-1]['content']!r} surprises it by {surprise:.1f} nats a token, and by "
            f"{checkpoint.probe['surprise']:.1f} when it was made. Its files are damaged; tune again."
        )
