"""General answers are computed once; what a person asked, and what a checkpoint answers, is not kept."""

import json
from pathlib import Path

import pytest

from tests.tuning.tiny import save_tiny
from tuning.augment.replay_prompts import REPLAY_PROMPTS
from tuning.data.examples import Message
from tuning.evaluation.cached_base import open_cached
from tuning.models.base_model import BaseModel


def ask(question: str, system: str = "") -> list[Message]:
    turns = [{"role": "system", "content": system}] if system else []
    return [*turns, {"role": "user", "content": question}]


def test_general_answers_are_computed_once(
    base_model: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[int] = []
    real = BaseModel.complete

    def counted(self: BaseModel, batch: list[list[Message]], **options: object) -> list[str]:
        computed.append(len(batch))
        return real(self, batch, **options)  # type: ignore[arg-type]

    base = open_cached(str(save_tiny(base_model, tmp_path / "tiny")), tmp_path, "cpu")
    monkeypatch.setattr(BaseModel, "complete", counted)
    general = [ask(prompt) for prompt in REPLAY_PROMPTS[:3]]
    first = base.complete(general, max_new_tokens=4)
    assert base.complete([*general, ask(REPLAY_PROMPTS[3])], max_new_tokens=4)[:3] == first
    assert computed == [3, 1]
    base.complete(general, max_new_tokens=5)
    base.complete([ask(REPLAY_PROMPTS[0], "Be brief.")], max_new_tokens=4)
    assert computed == [3, 1, 3, 1]  # another length or system prompt is another question
    for _ in range(2):
        base.complete([ask("我的项目叫什么？"), general[0]], max_new_tokens=2)
    assert computed[4:] == [2, 2]
    (file,) = (tmp_path / "models" / ".answers").glob("*.json")
    assert len(json.loads(file.read_text(encoding="utf-8"))) == 8
    file.write_text("{torn", encoding="utf-8")
    assert base.complete(general, max_new_tokens=4) == first
    base.close()
