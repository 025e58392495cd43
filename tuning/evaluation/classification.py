"""How well labelled text is classified, before and after: accuracy and F1 a class, on held-out texts."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from tuning.data.examples import Example
from tuning.data.text_labels import ENTITIES, LABELLED, NO_ENTITY
from tuning.models.base_model import BaseModel
from tuning.models.packing import with_system

HELD_OUT_SHARE = 0.2
MIN_EXAMPLES = 10  # below that, every one is needed for training
MAX_HELD_OUT = 200
ANSWER_TOKENS = {LABELLED: 12, ENTITIES: 96}
BATCH = 32
Emit = Callable[[dict[str, Any]], None]


def is_labelled(example: Example) -> bool:
    """Whether the answer is a label or a list of entities, not a fact to remember."""
    return example.reason in (LABELLED, ENTITIES)


def split(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """Examples to train on, and labelled ones kept out for the report: about a fifth of each class."""
    by_class: dict[str, list[Example]] = {}
    for example in examples:
        if is_labelled(example):
            by_class.setdefault(example.answer if example.reason == LABELLED else "", []).append(example)
    if sum(map(len, by_class.values())) < MIN_EXAMPLES:
        return list(examples), []
    rng = random.Random(f"{seed} held out")
    held: set[str] = set()
    for members in by_class.values():
        keys = sorted({example.key for example in members})
        held.update(rng.sample(keys, min(round(len(keys) * HELD_OUT_SHARE), len(keys) - 1)))
    kept = [e for e in examples if e.key not in held]
    out = list({e.key: e for e in examples if e.key in held}.values())
    rng.shuffle(out)
    return kept + out[MAX_HELD_OUT:], out[:MAX_HELD_OUT]


def report(
    base: BaseModel, held_out: Sequence[Example], adapter: str, *, system_prompt: str = "", emit: Emit
) -> dict[str, Any]:
    """Accuracy and F1 of the base (before) and of the loaded adapter (after); the result is JSON types."""
    wanted = [example.answer for example in held_out]
    said: dict[str, list[str]] = {}
    for number, (when, name) in enumerate((("before", None), ("after", adapter))):
        answers: list[str] = []
        for start in range(0, len(held_out), BATCH):
            batch = held_out[start : start + BATCH]
            asked = [with_system(e.messages[:-1], system_prompt) for e in batch]
            tokens = max(ANSWER_TOKENS[e.reason] for e in batch)
            answers += base.complete(asked, adapter=name, max_new_tokens=tokens)
            share = (number + len(answers) / len(held_out)) / 2
            emit({"kind": "phase", "phase": "evaluating", "share": share})
        said[when] = answers
    return {"n": len(held_out)} | {when: figures(wanted, answers) for when, answers in said.items()}


def figures(wanted: Sequence[str], said: Sequence[str]) -> dict[str, Any]:
    """Accuracy, macro F1, and the figures of each class; of an answer of several lines, each counts."""
    pairs = [(_items(w), _items(s)) for w, s in zip(wanted, said, strict=True)]
    kinds = sorted({_kind(item) for want, _ in pairs for item in want})
    classes = {kind: _class(kind, pairs) for kind in kinds}
    return {
        "accuracy": sum(want == got for want, got in pairs) / max(1, len(pairs)),
        "macro_f1": sum(c["f1"] for c in classes.values()) / max(1, len(classes)),
        "classes": classes,
    }


def _class(kind: str, pairs: Sequence[tuple[set[str], set[str]]]) -> dict[str, float]:
    right = wanted = said = 0
    for want, got in pairs:
        ours, theirs = ({i for i in items if _kind(i) == kind} for items in (want, got))
        right, wanted, said = right + len(ours & theirs), wanted + len(ours), said + len(theirs)
    precision, recall = right / max(1, said), right / max(1, wanted)
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * right / max(1, wanted + said),
        "n": wanted,
    }


def _items(answer: str) -> set[str]:
    """The labels or entities of an answer, without case, full stops and blank space around them."""
    lines = (line.strip().strip(".。\"'").strip().casefold() for line in answer.split("\n"))
    return {line for line in lines if line}


def _kind(item: str) -> str:
    """The type of an entity, or the label itself."""
    kind, colon, entity = item.partition(":")
    return kind.strip() if colon and entity.strip() and item not in NO_ENTITY.values() else item
