"""Do both local engines give the same greedy answers? python -m benchmarks.engines_equal HOME CHECKPOINT.

100 questions (those that the checkpoint learned, then general ones) are answered by llama.cpp and by torch, with the
base and with the checkpoint; the first 16 tokens are compared. Where they differ, it says how close torch's two
candidates were. Two controls tell rounding from mistakes: llama.cpp on the same weights in 16 bit, whose products take
no 8-bit activations, and torch against itself in float32.
"""

import argparse
import json
import statistics
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from assistant.chat.presets import DEFAULT_SYSTEM
from assistant.engines.llama_processes import LlamaProcesses
from tuning.checkpoints.gguf_writer import WRITABLE, write_model
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.data.examples import Message, read_examples
from tuning.evaluation.retention_questions import RETENTION
from tuning.models.base_model import BaseModel
from tuning.models.decoding import greedy_batch
from tuning.models.gguf_base import GgufBase

TOKENS = 16
ROWS = 20
Answers = list[list[int]]


@dataclass(frozen=True)
class Comparison:
    """Two engines' answers beside each other."""

    equal: int
    of: int
    gaps: list[float]  # for each that differs: torch's best logit less that of the other engine's token

    def row(self, name: str, who: str) -> str:
        """A line of the table."""
        middle = f"{statistics.median(self.gaps):.2f}" if self.gaps else "–"
        largest = f"{max(self.gaps):.2f}" if self.gaps else "–"
        return f"| {name} | {who} | **{self.equal} of {self.of}** | {middle} | {largest} |"


def main() -> None:
    """Print the table; with --output also as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("checkpoint")
    parser.add_argument("--base", default="smollm2-135m-instruct", help="a packaged model or a GGUF file")
    parser.add_argument("--folder", help="the same model for torch, where --base is a file")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--controls", action="store_true", help="both controls as well")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    checkpoint = Registry(options.home).get(options.checkpoint)
    base = GgufBase.find(options.base, options.home)
    assert base is not None
    model = BaseModel.open(options.folder or options.base, options.home, device="cpu")
    model.sha256 = base.sha256  # a folder that was made of this very file
    exact = in_16_bit(base, model, options.home) if options.controls else None
    model.load_checkpoint(checkpoint)
    prompts = [
        model.chat_ids(one, add_generation_prompt=True) for one in questions(checkpoint, options.questions)
    ]
    print(f"| of {len(prompts)}, first {TOKENS} tokens | | the same | median gap | largest gap |")
    print("|---|---|---|---|---|")
    found = {}
    for who in (None, checkpoint):
        for name, one in compare(base, exact, model, prompts, who).items():
            print(one.row(name, who.name if who else "base"), flush=True)
            found[f"{name}, {who.name if who else 'base'}"] = vars(one)
    if options.output:
        options.output.write_text(json.dumps(found, indent=1), encoding="utf-8")


def questions(checkpoint: Checkpoint, count: int) -> list[list[Message]]:
    """What the checkpoint learned, then general questions, as the chat asks them."""
    learned = [one.question for one in read_examples(checkpoint.path / "examples.jsonl")]
    texts = [*learned, *(question for question, _ in RETENTION)][:count]
    system = checkpoint.system_prompt or DEFAULT_SYSTEM
    before: list[Message] = [{"role": "system", "content": system}] if system else []
    return [[*before, {"role": "user", "content": text}] for text in texts]


def in_16_bit(base: GgufBase, model: BaseModel, home: Path) -> GgufBase | None:
    """The model's weights in a file of 16 bit, where one can be written."""
    if base.header.architecture not in WRITABLE:
        return None
    path = home / "models" / "16-bit.gguf"
    write_model(model, home, path, title="control")
    return replace(base, path=path)


def compare(
    base: GgufBase, exact: GgufBase | None, model: BaseModel, prompts: list[list[int]], who: Checkpoint | None
) -> dict[str, Comparison]:
    """llama.cpp and the controls against torch in the precision that it answers in."""
    own = by_torch(model, prompts, who)
    found = {"llama.cpp / torch": compared(model, prompts, by_llama(base, prompts, who), own, who)}
    if exact is not None:
        theirs = by_llama(exact, prompts, who)
        found["llama.cpp in 16 bit / torch"] = compared(model, prompts, theirs, own, who)
        precision, model.dtype = model.dtype, torch.float32
        model.model.float()
        found["torch in float32 / torch"] = compared(model, prompts, by_torch(model, prompts, who), own, who)
        model.dtype = precision
        model.model.to(precision)
    return found


def by_torch(model: BaseModel, prompts: list[list[int]], who: Checkpoint | None) -> Answers:
    """Several prompts at a time, as `BaseModel.complete` does."""
    found: Answers = []
    with model.activate(who.name if who else None):
        for start in range(0, len(prompts), ROWS):
            rows = prompts[start : start + ROWS]
            found += greedy_batch(model.model, rows, model.new_cache(), model.stop_ids, TOKENS)
    return found


def by_llama(base: GgufBase, prompts: list[list[int]], who: Checkpoint | None) -> Answers:
    """Each prompt alone, without what was read for the one before."""
    processes = LlamaProcesses(base)
    try:
        with processes.use(who) as running:
            body = {
                "n_predict": TOKENS,
                "temperature": 0.0,
                "samplers": ["temperature"],
                "return_tokens": True,
            }
            answers = []
            for ids in prompts:
                with running.prepared({**body, "prompt": ids}) as prepared:
                    answers.append(running.server.post("/completion", prepared)["tokens"])
            return answers
    finally:
        processes.close()


def compared(
    model: BaseModel, prompts: list[list[int]], theirs: Answers, own: Answers, who: Checkpoint | None
) -> Comparison:
    """How many answers are the same, and how close the two were in the others."""
    gaps = []
    for ids, one, other in zip(prompts, own, theirs, strict=True):
        ends = set(model.stop_ids)
        mine = [*one, model.end_id][:TOKENS]
        yours = [*(token for token in other if token not in ends), model.end_id][:TOKENS]
        place = next((n for n, pair in enumerate(zip(mine, yours, strict=False)) if pair[0] != pair[1]), None)
        if place is not None:
            logits = model.logits([*ids, *mine[:place]], adapter=who.name if who else None)[-1]
            gaps.append(abs(float(logits[mine[place]] - logits[yours[place]])))
    return Comparison(len(prompts) - len(gaps), len(prompts), gaps)


if __name__ == "__main__":
    main()
