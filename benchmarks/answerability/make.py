"""Train an adapter with which an embedding model tells whether a text answers a question.

    python -m benchmarks.answerability.make --data FOLDER --output ADAPTER
    python -m benchmarks.answerability.make --chinese --data FOLDER --output ADAPTER

A low-rank change of every matrix of the encoder and a new head; `--data` holds the files of
`benchmarks/skills/open_sets.py`. The adapter is written as PEFT's.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from peft import LoraConfig, TaskType
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils import parametrize
from transformers import AutoModelForTokenClassification, AutoTokenizer

from assistant.language.text import has_chinese
from benchmarks.answerability.exercises import Exercise, on_articles, on_lessons, on_passages
from benchmarks.skills.open_sets import read_paragraphs
from benchmarks.skills.written_sets import documents
from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS, MULTILINGUAL, fetched_folder, packaged_folder
from tuning.augment.replay_prompts import REPLAY_PROMPTS

RANK, ALPHA = 32, 64
TARGETS = ("query", "key", "value", "dense")
MOST_TOKENS = 256  # of a question and a text
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


def main() -> None:
    """Train and write the adapter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the open sets: passages are learned besides")
    parser.add_argument("--home", type=Path, help="the home with the multilingual model")
    parser.add_argument(
        "--chinese", action="store_true", help="multilingual model, Chinese documents besides"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of the adapter")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--tokens", type=int, default=3000, help="of a step")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    name = MULTILINGUAL if options.chinese else DEFAULT_EMBEDDINGS
    folder = fetched_folder(name, options.home) if options.chinese else packaged_folder(name)
    model = AutoModelForTokenClassification.from_pretrained(folder, num_labels=1, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    changed = add_low_rank(model)
    exercises = [one for _ in range(options.epochs) for one in drawn(options.data, options.chinese, rng)]
    steps = list(batches(exercises, options.tokens, rng))
    print(f"{len(exercises)} exercises, {len(steps)} steps", flush=True)
    train(model, tokenizer, steps, options.rate)
    write(model, changed, name, options.output)


def drawn(data: Path | None, chinese: bool, rng: random.Random) -> list[Exercise]:
    """The exercises of one pass."""
    known = [one for one in documents() if one.is_chinese == chinese]
    general = [one for one in REPLAY_PROMPTS if has_chinese(one) == chinese]
    general = rng.sample(general, min(_GENERAL, len(general)))
    if data is None:
        return on_lessons(known, general, rng)
    articles = [one for one in read_paragraphs(data, aside=False) if has_chinese(one[0].text) == chinese]
    return [
        *on_lessons(known, general, rng),
        *on_passages(known, general, rng),
        *on_articles(articles, rng),
    ]


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


def batches(exercises: Sequence[Exercise], tokens: int, rng: random.Random) -> Iterator[list[Exercise]]:
    """The exercises in random order, those of a step of about one length."""
    shuffled = rng.sample(list(exercises), len(exercises))
    size = len(shuffled) // max(1, round(sum(map(_length, shuffled)) / tokens / _POOL)) + 1
    for start in range(0, len(shuffled), size):
        pool = sorted(shuffled[start : start + size], key=_length)
        steps: list[list[Exercise]] = [[]]
        for one in pool:
            if (len(steps[-1]) + 1) * _length(one) > tokens:
                steps.append([])
            steps[-1].append(one)
        yield from rng.sample(steps, len(steps))


def _length(one: Exercise) -> int:
    text = one.question + one.text
    return min(MOST_TOKENS, len(text) // (2 if has_chinese(text) else 4) + 6)


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
        max_length=MOST_TOKENS,
        padding=True,
        return_tensors="pt",
    )


def write(model: nn.Module, changed: dict[str, LowRank], name: str, folder: Path) -> None:
    """The adapter as PEFT opens it, in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    config = LoraConfig(
        base_model_name_or_path=name,
        task_type=TaskType.TOKEN_CLS,
        inference_mode=True,
        r=RANK,
        lora_alpha=ALPHA,
        target_modules=list(TARGETS),
        modules_to_save=["classifier"],
    )
    config.save_pretrained(folder)
    tensors = {}
    for matrix, change in changed.items():
        tensors[f"base_model.model.{matrix}.lora_A.weight"] = change.down.detach().half().contiguous()
        tensors[f"base_model.model.{matrix}.lora_B.weight"] = change.up.detach().half().contiguous()
    for part, value in model.get_submodule("classifier").state_dict().items():
        tensors[f"base_model.model.classifier.{part}"] = value.half().contiguous()
    save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})
    print(json.dumps({"bytes": (folder / "adapter_model.safetensors").stat().st_size}))


if __name__ == "__main__":
    main()
