"""From conversations to what the model computes on: ids, supervised positions, packed rows with block masks.

Ids come from the model's own chat template, so that training sees exactly what chatting sends. Only the
assistant's answers (and the token that ends them) are supervised. What is learned is decided elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tuning.data.examples import Message, is_learned
from tuning.errors import ExampleError
from tuning.models.template import Template

MULTIPLE = 32  # training packs rows to lengths of whole multiples, so that few shapes are compiled
_SHARED_AT_LEAST = 4  # a shorter common beginning is not worth a segment of its own


@dataclass(frozen=True)
class Encoded:
    """One conversation as ids. `targets` are the positions of ids that must be predicted, in order."""

    ids: tuple[int, ...]
    targets: tuple[int, ...]


@dataclass(frozen=True)
class Teacher:
    """A teacher's distribution at each target: its k likeliest tokens and their probabilities."""

    tokens: Tensor  # (targets, k)
    probs: Tensor  # (targets, k), float32; what is missing to 1 is the rest of the vocabulary


@dataclass(frozen=True)
class Prepared:
    """Encoded conversations, and how many had to be shortened or left out because of the window."""

    encoded: tuple[Encoded, ...]
    conversations: tuple[
        list[Message], ...
    ]  # as they fit: without their oldest turns, those dropped left out
    shortened: int
    dropped: int


@dataclass(frozen=True)
class PackedRow:
    """Several conversations in one row: each sees itself and the beginning that all share, nothing else."""

    ids: Tensor  # (length,)
    positions: Tensor  # (length,)
    segments: Tensor  # (length,): 0 is the shared beginning, -1 fills up
    predict: Tensor  # (targets,): where to look for the logits, one position before each target
    targets: Tensor  # (targets,): the ids to predict
    owner: Tensor  # (targets,): which conversation, in the order given

    def mask(self, prefix: int) -> Tensor:
        """Who sees whom, (length, prefix + length): True where a position may look."""
        causal = torch.ones(len(self.ids), len(self.ids), dtype=torch.bool, device=self.ids.device).tril()
        same = self.segments[:, None] == self.segments[None, :]
        seen = causal & (same | (self.segments == 0)[None, :])
        before = torch.ones(len(self.ids), prefix, dtype=torch.bool, device=self.ids.device)
        return torch.cat([before, seen], dim=1)

    def to(self, device: torch.device) -> "PackedRow":
        """The same row on a device."""
        return PackedRow(*(value.to(device) for value in vars(self).values()))


def with_system(messages: Sequence[Message], system_prompt: str) -> list[Message]:
    """The messages with a system message in front, unless they have one or there is none to put."""
    if not system_prompt or (messages and messages[0]["role"] == "system"):
        return list(messages)
    return [{"role": "system", "content": system_prompt}, *messages]


def encode(base: Template, messages: Sequence[Message]) -> list[Encoded]:
    """Supervise every assistant turn that is learned: in one pass where the template allows, else one pass a turn.

    Each turn's ids begin exactly with what chatting would send for the messages before it.
    """
    turns = [index for index, message in enumerate(messages) if is_learned(message)]
    messages = [{"role": message["role"], "content": message["content"]} for message in messages]
    if not turns or turns[-1] != len(messages) - 1:
        raise ExampleError("An example must end with an answer of the assistant, and this one does not.")
    *earlier, last = [_turn(base, messages, index) for index in turns]
    whole, targets, apart = last[0] + last[1], list(_span(*last)), []
    for prompt, answer in earlier:
        if whole[: len(prompt) + len(answer)] == prompt + answer:
            targets.extend(_span(prompt, answer))
        else:
            apart.append(Encoded(tuple(prompt + answer), tuple(_span(prompt, answer))))
    return [*apart, Encoded(tuple(whole), tuple(sorted(targets)))]


def _turn(base: Template, messages: Sequence[Message], index: int) -> tuple[list[int], list[int]]:
    """What chatting would send before this turn, and the turn's answer with its ending token."""
    content = messages[index]["content"].strip()
    if not content:
        raise ExampleError("An example has an empty answer; there is nothing to learn from it.")
    answer = base.tokenizer(content, add_special_tokens=False)["input_ids"]
    return base.chat_ids(messages[:index], add_generation_prompt=True), [*answer, base.end_id]


def _span(prompt: list[int], answer: list[int]) -> range:
    return range(len(prompt), len(prompt) + len(answer))


def prepare(base: Template, conversations: Sequence[Sequence[Message]], window: int) -> Prepared:
    """Encode conversations; what is over the window loses its oldest turns, or is dropped, and is counted."""
    encoded: list[Encoded] = []
    kept: list[list[Message]] = []
    shortened = dropped = 0
    for messages in conversations:
        fitting, shortened_messages, cut = _shorten(base, list(messages), window)
        encoded.extend(fitting)
        kept.extend([shortened_messages] if fitting else [])
        shortened += bool(fitting) and cut
        dropped += not fitting
    return Prepared(tuple(encoded), tuple(kept), shortened, dropped)


def _shorten(
    base: Template, messages: list[Message], window: int
) -> tuple[list[Encoded], list[Message], bool]:
    cut = False
    while True:
        encoded = encode(base, messages)
        if all(len(one.ids) <= window for one in encoded):
            return encoded, messages, cut
        system = messages[:1] if messages[0]["role"] == "system" else []
        turns = messages[len(system) :]
        later = [index for index, message in enumerate(turns) if message["role"] == "user" and index > 0]
        if not later:
            return [], messages, cut
        messages, cut = system + turns[later[0] :], True


def pack(items: Sequence[Encoded], multiple: int = 1) -> PackedRow:
    """One row of all items, their common beginning stored once, filled up to a multiple of so many positions.

    Few different lengths mean few kernels to compile: a CPU compiles its matrix products for each shape.
    """
    shared = _shared(items)
    ids, positions, segments = list(items[0].ids[:shared]), list(range(shared)), [0] * shared
    predict: list[int] = []
    owner: list[int] = []
    for number, item in enumerate(items):
        offset = len(ids) - shared  # where this item's position 0 would be
        predict.extend(offset + target - 1 for target in item.targets)
        owner.extend([number] * len(item.targets))
        ids.extend(item.ids[shared:])
        positions.extend(range(shared, len(item.ids)))
        segments.extend([number + 1] * (len(item.ids) - shared))
    targets = [item.ids[target] for item in items for target in item.targets]
    for column, value in ((ids, ids[0]), (positions, 0), (segments, -1)):
        column.extend([value] * (-len(column) % multiple))
    columns = (ids, positions, segments, predict, targets, owner)
    return PackedRow(*(torch.tensor(column, dtype=torch.long) for column in columns))


def packed_length(items: Sequence[Encoded]) -> int:
    """How many tokens `pack` would compute on."""
    shared = _shared(items)
    return shared + sum(len(item.ids) - shared for item in items)


def _shared(items: Sequence[Encoded]) -> int:
    """How many tokens all items begin with; the position before the first target stays each item's own."""
    most = min(item.targets[0] - 1 for item in items)
    first = items[0].ids
    shared = 0
    while shared < most and all(item.ids[shared] == first[shared] for item in items):
        shared += 1
    return shared if shared >= _SHARED_AT_LEAST and len(items) > 1 else 0
