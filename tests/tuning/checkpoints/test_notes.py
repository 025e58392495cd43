"""The gate: what is held, noted, contradicted or lost after a job, and the notes beside a checkpoint."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tuning.checkpoints.manifest import NOTES, Checkpoint, Manifest
from tuning.checkpoints.notes import (
    counts,
    missing_examples,
    not_held,
    notes_of,
    notes_of_round,
    remove_note,
    taught_facts,
)
from tuning.checkpoints.registry import Registry
from tuning.data.examples import Example
from tuning.errors import CheckpointError


def fact(question: str, answer: str) -> Example:
    return Example(({"role": "user", "content": question}, {"role": "assistant", "content": answer}))


WEIGHT, COLOUR = fact("How heavy is it?", "640 grams."), fact("Which colour is it?", "Mulberry.")


def asked(*answered: tuple[Example, Sequence[bool]]) -> dict[str, Any]:
    """An evaluation in which the wordings of each example were answered so."""
    return {
        "facts": [
            {"question": one.question, "answer": one.answer, "correct_after": right}
            for one, wordings in answered
            for right in wordings
        ]
    }


def saved(registry: Registry, name: str, **about: Any) -> Checkpoint:
    def write(folder: Path) -> None:
        save_file({"weight": torch.ones(2)}, folder / "adapter_model.safetensors")

    return registry.save(Manifest(name, "lora", "base", "0" * 64, **about), write)


def test_what_one_wording_missed_is_not_held() -> None:
    evaluation = asked((WEIGHT, (True, True)), (COLOUR, (True, False)))
    assert not_held([WEIGHT, COLOUR, fact("Never asked?", "No.")], evaluation) == [COLOUR]


def test_an_answer_within_a_conversation_is_no_note() -> None:
    follow_up = Example((*WEIGHT.messages, *fact("And its colour?", "Mulberry.").messages))
    evaluation = {"facts": [{"question": "And its colour?", "answer": "Mulberry.", "correct_after": False}]}
    assert not_held([follow_up], evaluation) == []


def test_a_round_keeps_the_notes_of_its_parent_and_what_it_lost() -> None:
    old, forgotten = fact("Which colour is it?", "Orange."), fact("Who makes it?", "Halden.")
    evaluation = asked((COLOUR, (True,))) | {"earlier": {"lost": ["Who makes it?"]}}
    notes = notes_of_round([COLOUR], evaluation, inherited=[old, WEIGHT], earlier=[forgotten])
    assert notes == [forgotten, WEIGHT]  # the colour was taught anew


def test_each_fact_has_its_state(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    price, other = fact("What does it cost?", "480 euros."), fact("What does it cost?", "520 euros.")
    evaluation = asked((WEIGHT, (True, True)), (COLOUR, (True, False)), (price, (False,)), (other, (True,)))
    checkpoint = saved(
        registry, "halden", evaluation=evaluation, examples=[WEIGHT, COLOUR, price, other], notes=[COLOUR]
    )
    states = {(one.question, one.answer): one.state for one in taught_facts(checkpoint)}
    assert states == {
        ("How heavy is it?", "640 grams."): "held",
        ("Which colour is it?", "Mulberry."): "noted",
        ("What does it cost?", "480 euros."): "contradicted",
        ("What does it cost?", "520 euros."): "held",
    }
    assert counts(checkpoint) == {
        "facts": 4, "notes": 1, "held": 2, "noted": 1, "contradicted": 1, "lost": 0,
    }  # fmt: skip
    remove_note(checkpoint, COLOUR.key[:8])
    assert taught_facts(checkpoint)[0].state == "lost"
    with pytest.raises(CheckpointError, match="No notes of 'halden' begin with 'abc'"):
        remove_note(checkpoint, "abc")


def test_notes_go_where_their_checkpoint_goes(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    saved(registry, "halden", examples=[COLOUR], notes=[COLOUR])
    assert notes_of(registry.rename("halden", "tern")) == [COLOUR]
    registry.delete("tern")
    assert not list(tmp_path.rglob(NOTES))


def test_a_checkpoint_without_the_file_has_the_notes_of_its_report(tmp_path: Path) -> None:
    evaluation = asked((WEIGHT, (True,)), (COLOUR, (False,)))
    checkpoint = saved(Registry(tmp_path), "old", evaluation=evaluation, examples=[WEIGHT, COLOUR])
    assert not (checkpoint.path / NOTES).exists() and notes_of(checkpoint) == [COLOUR]
    assert missing_examples(checkpoint, [WEIGHT, COLOUR]) == [COLOUR]
