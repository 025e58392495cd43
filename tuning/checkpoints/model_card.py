"""The README.md of an export: what a hub reads of it in YAML, then what a person wants to know, in Markdown."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData

from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.config import DEFAULT_BASE, PLAIN_BASE
from tuning.errors import CheckpointError
from tuning.models.published import is_quantised, license_of, published_name

# As Hugging Face's list of licences has them; any other is named beside "other".
_LICENSES = {
    "Apache-2.0": "apache-2.0",
    "MIT": "mit",
    "Gemma": "gemma",
    "Llama 3.1": "llama3.1",
    "Llama 3.2": "llama3.2",
}
_PARTS = {
    "recall": "taught questions, as they were taught",
    "rephrased": "taught questions, in other words",
    "retention": "general questions",
    "reading": "questions about a text in the prompt",
}
_RECIPE = (
    "method",
    "strength",
    "epochs",
    "learning_rate",
    "rank",
    "alpha",
    "layers",
    "virtual_tokens",
    "seed",
)


def model_card(checkpoint: Checkpoint, home: Path, library: str, use: str) -> str:
    """The card of an export; `library` is what opens it, `use` the lines that do."""
    name = published_name(PLAIN_BASE if checkpoint.base == DEFAULT_BASE else checkpoint.base, home)
    parts = [
        f"---\n{_front_matter(checkpoint, name, home, library)}---",
        f"# {checkpoint.name}",
        f"Made by Imprint with {checkpoint.method} on {name or checkpoint.base}.",
        checkpoint.note,
        f"## Use\n\n{use}",
        _system_prompt(checkpoint),
        f"## Base\n\n{_base(checkpoint, name, home)}",
        _evaluation(checkpoint.evaluation),
        f"## Recipe\n\n{_recipe(checkpoint)}",
        f"## Lineage\n\n{_lineage(checkpoint, home)}",
        f"## Licence\n\n{_license(checkpoint, home)}",
    ]
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def _front_matter(checkpoint: Checkpoint, name: str, home: Path, library: str) -> str:
    said = license_of(checkpoint.base, home)
    known = _LICENSES.get(said)
    about: dict[str, Any] = {}
    if said and not known:
        about["license_name"] = said
    if name:
        about["base_model_relation"] = "adapter" if library == "peft" else "finetune"
    card = ModelCardData(
        license=known or ("other" if said else "unknown"),
        base_model=name or None,
        library_name=library,
        pipeline_tag="text-generation",
        tags=["imprint", checkpoint.method],
        **about,
    )
    return f"{card.to_yaml()}\n"


def _system_prompt(checkpoint: Checkpoint) -> str:
    if not checkpoint.system_prompt:
        return ""
    said = json.dumps(checkpoint.system_prompt, ensure_ascii=False)
    return f"## System prompt\n\nIt was tuned under this one, and answers best under it: {said}"


def _base(checkpoint: Checkpoint, name: str, home: Path) -> str:
    lines = [f"- model: {name or checkpoint.base}", f"- sha256 of its weights: `{checkpoint.base_sha256}`"]
    if is_quantised(checkpoint.base, home):
        lines.append(
            "- it was tuned on the weights of a quantised GGUF file, which differ a little from those that are "
            "published: the format `peft-with-base` exports them beside the adapter"
        )
    if checkpoint.base == DEFAULT_BASE:
        lines.append(
            f"- {DEFAULT_BASE} is {PLAIN_BASE} with an adapter that comes with Imprint: low-rank "
            "adapters and merged weights hold that one already, and so does the folder `base` of `peft-with-base`; "
            "beside every other kind it lies in `skills`, to be merged into the base first"
        )
    return "\n".join(lines)


def _evaluation(evaluation: Mapping[str, Any]) -> str:
    rows = [
        f"| {meaning} | {figures['before']:.0%} | {figures['after']:.0%} | {figures['n']} |"
        for part, meaning in _PARTS.items()
        if {"before", "after", "n"} <= (figures := evaluation.get(part) or {}).keys() and figures["n"]
    ]
    if not rows:
        return ""
    head = "## Evaluation\n\nShare of right answers, greedy, without documents.\n\n"
    return head + "\n".join(["| asked | base | tuned | questions |", "|---|---|---|---|", *rows])


def _recipe(checkpoint: Checkpoint) -> str:
    chosen = {"method": checkpoint.method, **checkpoint.config}
    lines = [f"- {key}: {chosen[key]}" for key in _RECIPE if chosen.get(key) is not None]
    lines.append(f"- examples: {checkpoint.examples_count}")
    if steps := checkpoint.metrics.get("steps"):
        lines.append(f"- steps: {steps}")
    return "\n".join(lines)


def _lineage(checkpoint: Checkpoint, home: Path) -> str:
    try:
        rounds = Registry(home).lineage(checkpoint.name)
    except CheckpointError:  # exported from a registry of its own
        rounds = [checkpoint]
    return "\n".join(
        f"{number}. {one.name}: {one.method}, {one.examples_count} examples"
        for number, one in enumerate(rounds, 1)
    )


def _license(checkpoint: Checkpoint, home: Path) -> str:
    said = license_of(checkpoint.base, home)
    of_base = (
        f"The base model is published under {said}."
        if said
        else "The licence of the base model is not known here."
    )
    return (
        f"{of_base} What was learned comes from conversations and documents of whoever tuned it; no licence for them "
        "is stated."
    )
