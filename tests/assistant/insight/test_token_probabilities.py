"""The next token: the bars are what would be drawn, and an answer's colours what the model thought."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from assistant.engines.base import SamplingParams
from assistant.engines.local import LocalEngine
from assistant.errors import AssistantError, EngineError, PromptTooLongError
from assistant.insight.token_probabilities import (
    answer_tokens,
    next_logits,
    next_logits_of_answer,
    sampling_probs,
    top_tokens,
)
from tests.saved_checkpoints import save_prefix
from tuning.checkpoints.registry import Registry
from tuning.models.decoding import pick

if TYPE_CHECKING:
    from tuning.models.base_model import BaseModel

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
ABOUT = [{"role": "user", "content": "How much does the Skerrin weigh?"}]
DRAWS = 4_000


@pytest.fixture
def engine(base_model: "BaseModel", tmp_path: Path) -> Iterator[LocalEngine]:
    registry = Registry(tmp_path)
    save_prefix(base_model, registry, "skerrin")
    yield LocalEngine(base_model, registry)
    base_model.unload("skerrin")


@pytest.mark.parametrize(
    ("temperature", "top_p"), [(1.0, 1.0), (0.5, 1.0), (1.5, 0.6), (1.0, 0.05), (0.0, 0.9)]
)
def test_the_bars_are_what_answers_are_drawn_from(temperature: float, top_p: float) -> None:
    logits = torch.randn(12, generator=torch.Generator().manual_seed(3)) * 2
    generator = torch.Generator().manual_seed(0)
    drawn = [pick(logits, temperature, top_p, generator) for _ in range(DRAWS)]
    expected = sampling_probs(logits.numpy(), temperature, top_p)
    assert expected.sum() == pytest.approx(1.0)
    assert np.bincount(drawn, minlength=12) / DRAWS == pytest.approx(expected, abs=0.03)
    assert {place for place, share in enumerate(expected) if share == 0.0}.isdisjoint(drawn)


def test_a_known_sentence_goes_on_as_everybody_would(engine: LocalEngine) -> None:
    words = top_tokens(engine.base, next_logits(engine, "The capital of France is"), 5)
    assert words[0].text == " Paris"
    assert [word.probability for word in words] == sorted((word.probability for word in words), reverse=True)
    assert sum(word.probability for word in words) <= 1.0


def test_top_p_leaves_words_out_and_keeps_the_order(engine: LocalEngine) -> None:
    logits = next_logits(engine, "The cat is on the ")
    few = top_tokens(engine.base, logits, 10, 1.0, 0.1)
    assert not few[0].is_excluded and few[-1].is_excluded
    assert few[0].probability > few[0].raw_probability
    assert [word.text for word in few] == [word.text for word in top_tokens(engine.base, logits, 10)]


def test_taking_the_likeliest_word_again_and_again_writes_the_greedy_answer(engine: LocalEngine) -> None:
    begun = ""
    for _ in range(5):
        begun += top_tokens(engine.base, next_logits_of_answer(engine, QUESTION, begun), 1)[0].text
    assert "".join(engine.stream(QUESTION, SamplingParams(5))) == begun


def test_a_checkpoint_moves_the_probabilities_of_what_it_knows(engine: LocalEngine) -> None:
    answer = "The Skerrin weighs 640 grams."
    said = answer_tokens(engine, ABOUT, answer, "skerrin")
    assert "".join(token.text for token in said) == answer
    number = [token for token in said if token.text in ("6", "4", "0")]
    assert all(token.log_ratio > 0 and token.kl_divergence > 0 for token in number) and number
    for token in said:
        assert token.log_ratio == pytest.approx(np.log(token.probability) - np.log(token.base_probability))


def test_without_a_checkpoint_nothing_was_changed(engine: LocalEngine) -> None:
    said = answer_tokens(engine, QUESTION, "It is Paris.")
    assert all(token.probability == token.base_probability and token.kl_divergence == 0.0 for token in said)


def test_characters_of_several_tokens_are_one_piece(engine: LocalEngine) -> None:
    answer = "茶 and 🫖"
    said = answer_tokens(engine, QUESTION, answer)
    assert "".join(token.text for token in said) == answer
    assert "\ufffd" not in "".join(token.text for token in said)


def test_bad_input_is_one_sentence(engine: LocalEngine) -> None:
    with pytest.raises(AssistantError, match="no text to go on from"):
        next_logits(engine, "   ")
    with pytest.raises(AssistantError, match="no answer to look at"):
        answer_tokens(engine, QUESTION, " ")
    with pytest.raises(PromptTooLongError, match=r"1,024 can be looked at"):
        next_logits(engine, "word " * 1200)
    with pytest.raises(EngineError, match="no checkpoint 'gone'"):
        next_logits(engine, "The cat", "gone")
