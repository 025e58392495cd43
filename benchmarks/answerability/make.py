"""Train the adapter with which the packaged embedding model tells whether a lesson answers a question.

    python -m benchmarks.answerability.make --output ADAPTER      # 15 minutes on one core
    python -m benchmarks.answerability.evaluate --adapter ADAPTER

A low-rank change of every matrix of the encoder, and a head. It is written as PEFT's; Imprint ships it as
`knowledge/search/judge`.
"""

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils import parametrize
from transformers import AutoModelForTokenClassification, AutoTokenizer

from assistant.language.text import has_chinese
from benchmarks.answerability.exercises import Exercise, on_lessons
from benchmarks.skills.written_sets import documents
from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS, packaged_folder
from knowledge.search.answerability import MAX_PAIR_TOKENS
from tuning.augment.replay_prompts import REPLAY_PROMPTS
from tuning.storage import write_json

RANK, ALPHA = 32, 64
TARGETS = ("query", "key", "value", "dense")
_STEP_TOKENS = 3000
_POOL = 24  # steps whose exercises are sorted by length together
_WARMUP = 60  # steps
_GENERAL = 200  # prompts that nothing answers


class LowRank(nn.Module):
    """A matrix plus a low-rank one, multiplied out: a step costs what the matrix alone costs."""

    def __init__(self, matrix: Tensor, rank: int, alpha: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, matrix.shape[1]) / rank)
        self.up = nn.Parameter(torch.zeros(matrix.shape[0], rank))
        self.scale = alpha / rank

    def forward(self, matrix: Tensor) -> Tensor:
        """The changed matrix, of the same shape."""
        return matrix + self.scale * self.up @ self.down


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and write the adapter."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of the adapter")
    parser.add_argument("--epochs", type=int, default=2, help="passes, each with other wrong lessons")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    folder = packaged_folder(DEFAULT_EMBEDDINGS)
    model = AutoModelForTokenClassification.from_pretrained(folder, num_labels=1, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    changed = add_low_rank(model)
    exercises = [one for _ in range(options.epochs) for one in drawn(rng)]
    steps = list(batches(exercises, rng))
    print(f"{len(exercises)} exercises, {len(steps)} steps", flush=True)
    train(model, tokenizer, steps, options.rate)
    write(model, changed, options.output)


def drawn(rng: random.Random) -> list[Exercise]:
    """The exercises of one pass."""
    known = [one for one in documents() if not one.is_chinese]
    general = [one for one in REPLAY_PROMPTS if not has_chinese(one)]
    return on_lessons(known, rng.sample(general, min(_GENERAL, len(general))), rng)


def add_low_rank(model: nn.Module) -> dict[str, LowRank]:
    """Freeze a model but for a low-rank change of its matrices and the head; the changes by the matrices' names."""
    changed = {}
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and name.split(".")[-1] in TARGETS:
            changed[name] = LowRank(module.weight, RANK, ALPHA)
            parametrize.register_parametrization(module, "weight", changed[name])
    model.get_submodule("classifier").requires_grad_(True)
    return changed


def batches(exercises: Sequence[Exercise], rng: random.Random) -> Iterator[list[Exercise]]:
    """The exercises in random order, those of a step of about one length."""
    shuffled = rng.sample(list(exercises), len(exercises))
    size = len(shuffled) // max(1, round(sum(map(_length, shuffled)) / _STEP_TOKENS / _POOL)) + 1
    for start in range(0, len(shuffled), size):
        pool = sorted(shuffled[start : start + size], key=_length)
        steps: list[list[Exercise]] = [[]]
        for one in pool:
            if (len(steps[-1]) + 1) * _length(one) > _STEP_TOKENS:
                steps.append([])
            steps[-1].append(one)
        yield from rng.sample(steps, len(steps))


def _length(one: Exercise) -> int:
    return min(MAX_PAIR_TOKENS, (len(one.question) + len(one.text)) // 4 + 6)  # tokens, about


def train(model: nn.Module, tokenizer: object, steps: Sequence[Sequence[Exercise]], rate: float) -> None:
    """One pass over the steps; the rate rises and falls in straight lines."""
    learned = [one for one in model.parameters() if one.requires_grad]
    optimiser = torch.optim.AdamW(learned, lr=rate, weight_decay=0.01)
    model.train()
    started, losses = time.time(), []
    for number, step in enumerate(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (number + 1) / _WARMUP, 1.0 - number / len(steps))
        wanted = torch.tensor([float(one.answered) for one in step])
        with torch.autocast("cpu", torch.bfloat16):
            logits = score(model, tokenized(tokenizer, step))
        loss = nn.functional.binary_cross_entropy_with_logits(logits.float(), wanted)
        loss.backward()
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
        if number % 50 == 49:
            print(f"{number + 1} {sum(losses[-50:]) / 50:.4f} {time.time() - started:.0f} s", flush=True)


def score(model: nn.Module, pairs: dict[str, Tensor]) -> Tensor:
    """The log-odds that the text answers the question [pairs]: the mean of what the head says of each token.

    The first token alone, which is usual, learned nothing in the first hundred steps.
    """
    seen = pairs["attention_mask"]
    return (model(**pairs).logits.squeeze(-1) * seen).sum(dim=1) / seen.sum(dim=1)


def tokenized(tokenizer: object, step: Sequence[Exercise]) -> dict[str, Tensor]:
    """Questions and texts as pairs."""
    return tokenizer(  # type: ignore[operator]
        [one.question for one in step],
        [one.text for one in step],
        truncation="only_second",
        max_length=MAX_PAIR_TOKENS,
        padding=True,
        return_tensors="pt",
    )


def write(model: nn.Module, changed: dict[str, LowRank], folder: Path) -> None:
    """The adapter as PEFT opens it, in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(
        folder / "adapter_config.json",
        {
            "peft_type": "LORA",
            "task_type": "TOKEN_CLS",
            "base_model_name_or_path": DEFAULT_EMBEDDINGS,
            "bias": "none",
            "r": RANK,
            "lora_alpha": ALPHA,
            "target_modules": sorted(TARGETS),
            "modules_to_save": ["classifier"],
        },
    )
    tensors = {}
    for matrix, change in changed.items():
        tensors[f"base_model.model.{matrix}.lora_A.weight"] = change.down.detach().half().contiguous()
        tensors[f"base_model.model.{matrix}.lora_B.weight"] = change.up.detach().half().contiguous()
    for part, value in model.get_submodule("classifier").state_dict().items():
        tensors[f"base_model.model.classifier.{part}"] = value.half().contiguous()
    save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})


if __name__ == "__main__":
    main()
