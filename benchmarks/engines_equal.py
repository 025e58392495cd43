"""Do both local engines give the same greedy answers? python -m benchmarks.engines_equal HOME CHECKPOINT.

100 questions (those that the checkpoint learned, then general ones) are answered by llama.cpp and by torch, with the
base and with the checkpoint; the first 16 tokens are compared. Where they differ, it says how close torch's two
candidates were. Controls tell rounding from mistakes: torch against itself in float32, and llama.cpp on torch's own
weights written in 32 bit, whose products take no 8-bit activations. Where both are exact, only the order of sums and
llama.cpp's 16-bit keys and values differ.
"""

import argparse
import json
import statistics
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from assistant.chat.presets import DEFAULT_SYSTEM
from assistant.engines.llama_processes import LlamaProcesses
from tuning.checkpoints.gguf_writer import write_model
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


@dataclass(frozen=True)
class Exact:
    """Both engines without rounding that could be left out."""

    base: GgufBase
    model: BaseModel


def main() -> None:
    """Print the table; with --output also as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("checkpoint")
    parser.add_argument("--base", default="smollm2-135m-instruct", help="a packaged model or a GGUF file")
    parser.add_argument("--folder", help="the same model for torch, where --base is a file")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--controls", action="store_true", help="the controls as well")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    checkpoint = Registry(options.home).get(options.checkpoint)
    base = GgufBase.find(options.base, options.home)
    assert base is not None
    name, exact = options.folder or options.base, None
    model = opened(name, options.home, base)
    if options.controls:
        precise = opened(name, options.home, base, torch.float32)
        exact = Exact(in_32_bit(base, precise, options.home), precise)
        precise.load_checkpoint(checkpoint)
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


def opened(name: str, home: Path, base: GgufBase, dtype: torch.dtype | None = None) -> BaseModel:
    """The model in torch, in another precision than its own where one is given."""
    model = BaseModel.open(name, home, device="cpu")
    model.sha256 = base.sha256  # a folder that was made of this very file
    if dtype is not None:  # never back again: that would round what is kept beside the weights
        model.model.to(dtype)
        model.dtype = dtype
    return model


def in_32_bit(base: GgufBase, model: BaseModel, home: Path) -> GgufBase:
    """Torch's weights in a file of 32 bit. Raises CheckpointError for architectures that cannot be written."""
    path = home / "models" / "32-bit.gguf"
    model.name = base.name
    write_model(model, home, path, title="control", kind="F32")
    return replace(base, path=path)


def compare(
    base: GgufBase, exact: Exact | None, model: BaseModel, prompts: list[list[int]], who: Checkpoint | None
) -> dict[str, Comparison]:
    """llama.cpp against torch as both answer, and the controls."""
    llama, own = by_llama(base, prompts, who), by_torch(model, prompts, who)
    found = {"llama.cpp / torch": compared(model, prompts, llama, own, who)}
    if exact is not None:
        whole, precise = by_llama(exact.base, prompts, who), by_torch(exact.model, prompts, who)
        found["llama.cpp in 32 bit / torch"] = compared(model, prompts, whole, own, who)
        for name, theirs in (
            ("torch / torch in float32", own),
            ("llama.cpp / torch in float32", llama),
            ("llama.cpp in 32 bit / torch in float32", whole),
        ):
            found[name] = compared(exact.model, prompts, theirs, precise, who)
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
