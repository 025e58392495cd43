"""A reward model as judge, on real weights: the higher score wins, and an answer is better than none."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from assistant.compare.judge import JudgeChoice, judge_answers
from assistant.compare.questions import Question
from assistant.compare.reward_judge import TIE_LOG_ODDS, RewardJudge, open_judge
from assistant.engines.local import LocalEngine
from assistant.errors import CompareError, EngineError
from tests.saved_checkpoints import save_random
from tuning.alignment.reward_head import RewardHead
from tuning.checkpoints.manifest import Manifest
from tuning.checkpoints.registry import Registry

if TYPE_CHECKING:
    from tuning.models.base_model import BaseModel

QUESTION = Question("How heavy is the Skerrin?", ())
ANSWERS = ("640 grams.", "That is a good question, and it depends on many things.")


@pytest.fixture
def registry(base_model: "BaseModel", tmp_path: Path) -> Iterator[Registry]:
    """A LoRA of random weights, and the same with a head, which is a reward model with a taste of its own."""
    found = Registry(tmp_path)
    lora = save_random(base_model, found, "lora", "lora")
    generator = torch.Generator().manual_seed(1)
    head = RewardHead(torch.randn(base_model.config.hidden_size, generator=generator), 0.0)

    def write(folder: Path) -> None:
        for file in (*Path(lora.path).glob("*.safetensors"), Path(lora.path) / "adapter_config.json"):
            shutil.copy(file, folder)
        head.write(folder)

    about = {"base_sha256": base_model.sha256, "template_fingerprint": base_model.template_fingerprint}
    found.save(Manifest("taste", "reward", base_model.name, **about), write)
    yield found
    for name in base_model.loaded:
        base_model.unload(name)


def judge_of(base_model: "BaseModel", registry: Registry, name: str) -> RewardJudge:
    engine = LocalEngine(base_model, registry)
    opened = open_judge(
        lambda: engine, registry, JudgeChoice(name, "reward"), registry.folder / "verdicts.jsonl"
    )
    assert isinstance(opened, RewardJudge)
    return opened


def test_the_higher_score_wins_in_either_order(base_model: "BaseModel", registry: Registry) -> None:
    judge = judge_of(base_model, registry, "taste")
    scores = judge.scores(QUESTION.text, ANSWERS)
    assert abs(scores[0] - scores[1]) > TIE_LOG_ODDS
    better = 0 if scores[0] > scores[1] else 1
    assert judge(QUESTION, *ANSWERS).outcome == ("first", "second")[better]
    assert judge(QUESTION, *ANSWERS[::-1]).outcome == ("second", "first")[better]
    summary = judge_answers(judge, [QUESTION], {"base": [ANSWERS[0]], "rag": [ANSWERS[1]]})
    assert (summary.verdicts, summary.unclear, summary.choice.kind) == (1, 0, "reward")
    assert not (registry.folder / "verdicts.jsonl").exists()


def test_an_answer_is_better_than_none(base_model: "BaseModel", registry: Registry) -> None:
    judge = judge_of(base_model, registry, "taste")
    assert judge(QUESTION, "640 grams.", " ").outcome == "first"
    assert judge(QUESTION, "", "640 grams.").outcome == "second"
    assert judge(QUESTION, "640 grams.", "640 grams. ").outcome == "tie"


def test_a_checkpoint_that_answers_is_no_judge_and_a_reward_model_no_answerer(
    base_model: "BaseModel", registry: Registry
) -> None:
    with pytest.raises(CompareError, match="cannot judge"):
        judge_of(base_model, registry, "lora")
    engine = LocalEngine(base_model, registry)
    assert engine.checkpoints() == ["lora"]
    with pytest.raises(EngineError, match="is a reward model"):
        engine.complete([[{"role": "user", "content": "Hello"}]], checkpoint="taste")
