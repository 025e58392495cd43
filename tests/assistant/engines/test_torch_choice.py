"""Torch's engine on real weights: shapes, penalties, biases and likelihoods, alone and in a batch."""

import json
import math
from collections.abc import Iterator

import pytest
import torch

from assistant.engines.base import Engine, SamplingParams
from assistant.engines.batched import BatchedEngine
from assistant.engines.local import LocalEngine
from assistant.engines.pieces import Piece
from assistant.engines.shapes import JsonOutput, Tool, ToolUse
from assistant.errors import UnsupportedOptionError
from tests.fakes import text_and_end
from tuning.checkpoints.registry import Registry
from tuning.data.examples import Message
from tuning.models.base_model import BaseModel
from tuning.models.choice import Choice

ASKED: list[Message] = [{"role": "user", "content": "What is the weather in Rome?"}]
PLACE = {"type": "object", "properties": {"place": {"enum": ["Rome", "Oslo"]}}, "required": ["place"]}


@pytest.fixture(scope="module", params=["alone", "in a batch"])
def engine(
    request: pytest.FixtureRequest, base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    local = LocalEngine(base_model, Registry(tmp_path_factory.mktemp("torch")))
    yield local if request.param == "alone" else BatchedEngine(local)


def test_an_answer_is_held_to_its_shape_and_ends(engine: Engine) -> None:
    text, end = text_and_end(engine.stream(ASKED, SamplingParams(40, shape=JsonOutput(PLACE))))
    assert json.loads(text)["place"] in ("Rome", "Oslo") and end.finish_reason == "stop"
    shape = ToolUse([Tool("get_weather", parameters=PLACE)], "required", parallel=False)
    text, end = text_and_end(engine.stream(ASKED, SamplingParams(40, shape=shape)))
    call = json.loads(text.removeprefix("<tool_call>\n").removesuffix("\n</tool_call>"))
    assert call["name"] == "get_weather" and call["arguments"]["place"] in ("Rome", "Oslo")
    assert end.completion_tokens < 12  # what is known is not asked of the model


def test_likelihoods_come_with_the_text_that_they_are_of(engine: Engine) -> None:
    pieces = list(engine.stream(ASKED, SamplingParams(4, top_logprobs=2)))
    tokens = [token for piece in pieces if isinstance(piece, Piece) for token in piece.tokens]
    assert "".join(token.text for token in tokens) == "".join(pieces) and len(tokens) == 4
    for token in tokens:
        assert [one.logprob for one in token.top] == sorted((one.logprob for one in token.top), reverse=True)
        assert token.logprob == token.top[0].logprob and math.exp(token.logprob) < 1


def test_a_bias_decides_and_one_for_no_token_is_refused(engine: Engine) -> None:
    word = engine.encode(" Rome")[0]
    assert "".join(engine.stream(ASKED, SamplingParams(3, logit_bias={word: 100}))) == " Rome" * 3
    with pytest.raises(UnsupportedOptionError, match="no token 999999; this model has those from 0 to"):
        list(engine.stream(ASKED, SamplingParams(3, logit_bias={999_999: 1})))


@pytest.mark.parametrize(
    ("presence", "frequency", "written"),
    [(0, 0, [0, 0, 0]), (1, 0, [0, 1, 0]), (0, 0.2, [0, 0, 1]), (-1, 0, [0, 0, 0])],
)
def test_penalties_count_what_was_written(presence: float, frequency: float, written: list[int]) -> None:
    choice = Choice(None, (9,), presence_penalty=presence, frequency_penalty=frequency)  # type: ignore[arg-type]
    assert [choice.pick(torch.tensor([1.0, 0.7, -9.0])) for _ in range(3)] == written
