"""What is trained on is what chatting sends, and packing changes no number."""

import pytest
import torch

from tests.tuning.tiny import ARCHITECTURES, tiny_model
from tuning.data.examples import Message
from tuning.errors import ExampleError
from tuning.models.base_model import BaseModel
from tuning.models.forward import forward
from tuning.models.packing import Encoded, encode, pack, packed_length, prepare

TURNS: list[Message] = [
    {"role": "user", "content": "How heavy is the Marrow-9?"},
    {"role": "assistant", "content": "18 tonnes."},
    {"role": "user", "content": "它的船长是谁？"},
    {"role": "assistant", "content": "林若海。"},
]
SYSTEM: Message = {"role": "system", "content": "You are terse."}


def supervised(base: BaseModel, one: Encoded) -> str:
    return base.tokenizer.decode([one.ids[target] for target in one.targets])


@pytest.mark.parametrize("messages", [TURNS, [SYSTEM, *TURNS], TURNS[:2]])
def test_every_turn_begins_with_exactly_what_chatting_sends(
    base_model: BaseModel, messages: list[Message]
) -> None:
    (one,) = encode(base_model, messages)
    for index, message in enumerate(messages):
        if message["role"] == "assistant":
            sent = base_model.chat_ids(messages[:index], add_generation_prompt=True)
            assert list(one.ids[: len(sent)]) == sent
            assert len(sent) in one.targets


def test_an_answer_of_weight_zero_is_read_and_not_learned(base_model: BaseModel) -> None:
    (one,) = encode(base_model, [TURNS[0], {**TURNS[1], "weight": "0"}, *TURNS[2:]])
    (whole,) = encode(base_model, TURNS)

    assert one.ids == whole.ids
    assert "18 tonnes" in supervised(base_model, whole)
    assert "18 tonnes" not in supervised(base_model, one)
    assert "林若海" in supervised(base_model, one)


def test_only_answers_and_their_ends_are_supervised(base_model: BaseModel) -> None:
    (one,) = encode(base_model, TURNS)
    end = base_model.tokenizer.decode([base_model.end_id])
    assert supervised(base_model, one) == f"18 tonnes.{end}林若海。{end}"


def test_a_template_that_rewrites_earlier_turns_gives_each_turn_its_own_pass(base_model: BaseModel) -> None:
    base = tiny_model(base_model)
    forgetful = base.tokenizer.chat_template.replace(
        "message['content']", "message['content'].replace('18', '?')"
    )
    original = base.tokenizer.chat_template
    base.tokenizer.chat_template = forgetful
    try:
        apart, last = encode(base, TURNS)
    finally:
        base.tokenizer.chat_template = original
    assert supervised(base, apart).startswith("18 tonnes.")
    assert supervised(base, last).startswith("林若海。")


def test_an_example_without_an_answer_is_refused(base_model: BaseModel) -> None:
    with pytest.raises(ExampleError, match="must end with an answer"):
        encode(base_model, TURNS[:3])
    with pytest.raises(ExampleError, match="empty answer"):
        encode(base_model, [TURNS[0], {"role": "assistant", "content": "  "}])


def test_what_is_too_long_loses_its_oldest_turns_or_is_counted_as_dropped(base_model: BaseModel) -> None:
    long = [{"role": "user", "content": "word " * 300}, *TURNS[1:]]
    prepared = prepare(base_model, [TURNS, [SYSTEM, *long], long[:2]], window=120)
    assert (len(prepared.encoded), prepared.shortened, prepared.dropped) == (2, 1, 1)
    assert "terse" in base_model.tokenizer.decode(prepared.encoded[1].ids)
    assert "word" not in base_model.tokenizer.decode(prepared.encoded[1].ids)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_packed_row_gives_the_logits_of_its_parts(base_model: BaseModel, architecture: str) -> None:
    base = tiny_model(base_model, architecture)
    items = [*encode(base, TURNS), *encode(base, TURNS[:2]), *encode(base, TURNS[2:])]
    row = pack(items, multiple=32)
    assert len(pack(items).ids) == packed_length(items) < sum(len(one.ids) for one in items)
    assert len(row.ids) % 32 == 0
    with torch.no_grad():
        packed = forward(base, row)
    alone = torch.cat([base.logits(one.ids)[[target - 1 for target in one.targets]] for one in items])
    assert torch.equal(
        row.targets, torch.tensor([one.ids[target] for one in items for target in one.targets])
    )
    torch.testing.assert_close(packed, alone, atol=1e-4, rtol=1e-4)
