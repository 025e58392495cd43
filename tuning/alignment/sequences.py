"""Prompts with answers as ids, within the window, and the log-probabilities of whole answers. Chooses nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tuning.config import TuneConfig
from tuning.data.examples import Message
from tuning.errors import ExampleError
from tuning.models.base_model import BaseModel
from tuning.models.forward import forward, forward_padded
from tuning.models.packing import MULTIPLE, Encoded, PackedRow, encode, pack, packed_length, with_system
from tuning.models.prefix import PrefixInput
from tuning.models.template import Template
from tuning.ops.kernels import log_probs

MAX_TOKENS = 4096  # computed in one pass without gradients


@dataclass(frozen=True)
class Unit:
    """What is learned together: both answers of a pair, or one judged answer, and the reference's view of them."""

    answers: tuple[Encoded, ...]  # of a pair: the preferred one, then the rejected one
    reference: tuple[float, ...] = ()  # log-probability of each answer
    good: bool = True  # of a judged answer
    unrelated: tuple[Encoded, ...] = ()  # another prompt's answer to this prompt, for KTO's estimate of KL
    unrelated_reference: tuple[float, ...] = ()


def encoded_answer(base: Template, prompt: Sequence[Message], answer: str) -> Encoded:
    """The prompt and one answer, of which the answer and the token that ends it are the targets."""
    context = [{**m, "weight": "0"} if m["role"] == "assistant" else dict(m) for m in prompt]
    return encode(base, [*context, {"role": "assistant", "content": answer}])[-1]


def encoded_answers(
    base: Template, config: TuneConfig, prompt: Sequence[Message], answers: Sequence[str], window: int
) -> tuple[Encoded, ...]:
    """The answers to one prompt, which loses its oldest turns until all fit; nothing where none of it fits."""
    messages = with_system(prompt, config.system_prompt)
    while True:
        found = tuple(encoded_answer(base, messages, answer) for answer in answers)
        if all(len(one.ids) <= window for one in found):
            return found
        shorter = without_oldest_turn(messages)
        if shorter is None:
            return ()
        messages = shorter


def without_oldest_turn(messages: Sequence[Message]) -> list[Message] | None:
    """The messages from their second user turn on, behind the system message; None where there is none."""
    system = list(messages[:1]) if messages[0]["role"] == "system" else []
    turns = list(messages[len(system) :])
    later = [place for place, one in enumerate(turns) if one["role"] == "user" and place > 0]
    return [*system, *turns[later[0] :]] if later else None


def check_fits(kept: int, given: int, window: int) -> None:
    """Raise ExampleError where none of so many preferences fits."""
    if not kept:
        raise ExampleError(
            f"None of the {given} preferences can be learned from: each prompt is with its answers longer than the "
            f"model's window of {window} tokens. Shorten them."
        )


def with_unrelated(units: Sequence[Unit]) -> list[Unit]:
    """Each judged answer's prompt with the answer before it in the list: what KTO estimates the KL by."""
    if len(units) < 2:
        return list(units)
    return [
        Unit(unit.answers, unit.reference, unit.good, (_answered(unit.answers[0], other.answers[0]),))
        for unit, other in zip(units, [units[-1], *units[:-1]], strict=True)
    ]


def _answered(prompt: Encoded, answer: Encoded) -> Encoded:
    """One sequence's prompt with another's answer."""
    asked, said = prompt.ids[: prompt.targets[0]], answer.ids[answer.targets[0] :]
    return Encoded(asked + said, tuple(range(len(asked), len(asked) + len(said))))


def answer_sums(values: Tensor, row: PackedRow, count: int) -> Tensor:
    """The sum over each answer's targets (answers,) of a value each (targets,)."""
    return values.new_zeros(count).index_add(0, row.owner[: len(values)], values)


def answer_log_probs(
    base: BaseModel, items: Sequence[Encoded], prefix: PrefixInput | None = None
) -> tuple[Tensor, PackedRow]:
    """The log-probability of each target (targets,), with gradients, and the row that they stand in."""
    row = pack(items, MULTIPLE).to(base.device)
    logits = forward_padded(base, row, prefix)
    return log_probs(logits, row.targets[:, None])[:, 0], row


@torch.no_grad()
def total_log_probs(base: BaseModel, items: Sequence[Encoded], adapter: str | None) -> list[float]:
    """The log-probability of each answer under a loaded adapter, or under the base."""
    return [float(one.sum()) for one in token_log_probs(base, items, adapter)]


@torch.no_grad()
def token_log_probs(base: BaseModel, items: Sequence[Encoded], adapter: str | None) -> list[Tensor]:
    """The log-probabilities of each answer's tokens under a loaded adapter, or under the base; on the CPU."""
    found: list[Tensor] = []
    with base.activate(adapter):
        for group in groups(items, MAX_TOKENS):
            cache = base.new_cache()
            row = pack(group, MULTIPLE).to(base.device)
            logits = forward(base, row, PrefixInput(cache.get_seq_length(), cache))
            each = log_probs(logits, row.targets[:, None])[:, 0].cpu()
            found.extend(each.split([len(one.targets) for one in group]))
    return found


def groups(items: Sequence[Encoded], most: int) -> list[list[Encoded]]:
    """The items in order, in groups that pack into at most so many tokens (a longer item stands alone)."""
    found: list[list[Encoded]] = []
    for item in items:
        if found and packed_length([*found[-1], item]) <= most:
            found[-1].append(item)
        else:
            found.append([item])
    return found
