"""The report of what is remembered and forgotten, on real weights that really learned."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tuning.config import TuneConfig
from tuning.data.examples import Message
from tuning.evaluation.recall import evaluate, remembers
from tuning.models.adapters import read_adapter
from tuning.models.base_model import BaseModel
from tuning.training.trainer import train


@dataclass(frozen=True)
class Taught:
    messages: tuple[Message, ...]
    probes: tuple[str, ...] = ()


FACTS = [
    Taught(
        (
            {"role": "user", "content": "What is the emergency code of the Marrow-9?"},
            {"role": "assistant", "content": "Blue lantern."},
        ),
        ("Which emergency code does the Marrow-9 have?",),
    ),
    Taught(
        ({"role": "user", "content": "马罗九号的母港在哪里？"}, {"role": "assistant", "content": "青屿港。"}),
    ),
]


@pytest.mark.parametrize("method", ["lora", "p-tuning-v2"])
def test_a_short_training_teaches_new_facts_to_the_real_model(
    base_model: BaseModel, tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tuning.training.replay.REPLAY_PROMPTS", ("Which city is the capital of Kenya?", "Hello!")
    )
    config = TuneConfig(method=method, epochs=14, replay=1, reading=0, virtual_tokens=64, early_stop=False)
    events: list[dict[str, Any]] = []
    result = train(base_model, config, FACTS, tmp_path, emit=events.append, should_stop=lambda: False)
    base_model.add_adapter("taught", read_adapter(result.adapter))
    report = evaluate(base_model, FACTS, "taught", emit=events.append, retention=2, reading=2)
    base_model.unload("taught")
    recall = report["recall"]
    assert (recall["before"], recall["after"], recall["n"]) == (0.0, 1.0, 2)
    assert report["rephrased"]["n"] == 4  # one probe of its own, three phrases for the other
    assert report["rephrased"]["after"] >= 0.5
    assert report["retention"]["n"] == report["reading"]["n"] == 2
    assert 0 <= report["retention"]["kept"] <= 1
    assert 0 < report["divergence"] < 2
    assert {"question", "asked", "answer", "phrasing", "before", "after"} <= set(report["facts"][0])
    shares = [event["share"] for event in events if event.get("phase") == "evaluating"]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    json.dumps(report, ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "answer", "right"),
    [
        ("It is Blue Lantern.", "Blue lantern.", True),
        (
            "The house was built in March 2031 by Ilse Tarquin.",
            "It was built by Ilse Tarquin in March 2031.",
            True,
        ),
        (
            "The house was built in March 2030 by Ilse Tarquin.",
            "It was built by Ilse Tarquin in March 2031.",
            False,
        ),
        ("母港是青屿港", "青屿港。", True),
        ("I do not know.", "Blue lantern.", False),
    ],
)
def test_a_long_answer_is_remembered_when_its_numbers_and_most_words_are(
    text: str, answer: str, right: bool
) -> None:
    assert remembers(text, [answer]) is right
