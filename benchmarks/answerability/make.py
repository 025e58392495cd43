"""Train the adapter with which the packaged embedding model tells whether a piece of a passage answers a question.

    python -m benchmarks.answerability.make --output ADAPTER      # half an hour on one core
    python -m benchmarks.answerability.evaluate --judge ADAPTER

A low-rank change of every matrix of the encoder, and a head. Lessons come first: exercises on passages beside them from
the start taught nothing in a hundred steps. Imprint ships the result as `knowledge/search/judge`.
"""

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

from assistant.language.text import has_chinese
from benchmarks.answerability.exercises import Exercise, on_lessons, on_passages
from benchmarks.answerability.low_rank import ATTENTION, add_low_rank, read_into, write
from benchmarks.skills.written_sets import Written, documents
from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS, packaged_folder
from knowledge.search.answerability import MAX_PAIR_TOKENS
from tuning.augment.replay_prompts import REPLAY_PROMPTS

RANK = 32


@dataclass(frozen=True)
class Stage:
    """What is trained on, and for how long: the rate rises and falls once in each."""

    kind: Literal["lessons", "passages"]
    steps: int | None  # None: two passes over the exercises, each with other wrong texts
    rate: float


STAGES = (Stage("lessons", None, 1e-3), Stage("passages", 400, 1e-3))
_PASSES = 2
_STEP_TOKENS = 3000
_POOL = 24  # steps whose exercises are sorted by length together
_WARMUP = 60  # steps
_GENERAL = 200  # prompts that nothing answers


class Judge(nn.Module):
    """The encoder and what judges each of its tokens."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(
            folder, dtype=torch.float32, attn_implementation=ATTENTION,
            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        )  # fmt: skip
        self.changed = add_low_rank(self.encoder, RANK)
        self.classifier = nn.Linear(self.encoder.config.hidden_size, 1)

    def forward(self, pairs: dict[str, Tensor]) -> Tensor:
        """The log-odds that the text answers the question [pairs]: the mean of what the head says of each token.

        The first token alone, which is usual, learned nothing in the first hundred steps.
        """
        seen = pairs["attention_mask"]
        said = self.classifier(self.encoder(**pairs).last_hidden_state).squeeze(-1)
        return (said * seen).sum(dim=1) / seen.sum(dim=1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and write the adapter."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of the adapter")
    parser.add_argument("--start", type=Path, help="an adapter to go on from")
    parser.add_argument("--stages", default="0,1", help="which of them to run")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    folder = packaged_folder(DEFAULT_EMBEDDINGS)
    judge, tokenizer = Judge(folder), AutoTokenizer.from_pretrained(folder)
    if options.start:
        rest = read_into(options.start, judge.changed)
        judge.classifier.load_state_dict({part: rest[f"classifier.{part}"] for part in ("weight", "bias")})
    for stage in (STAGES[int(one)] for one in options.stages.split(",")):
        exercises = [one for _ in range(_PASSES) for one in drawn(stage.kind, rng)]
        steps = list(batches(exercises, rng))[: stage.steps]
        print(f"{len(exercises)} exercises on {stage.kind}, {len(steps)} steps", flush=True)
        train(judge, tokenizer, steps, stage.rate)
    head = {f"classifier.{name}": value for name, value in judge.classifier.state_dict().items()}
    write(options.output, judge.changed, head, DEFAULT_EMBEDDINGS, "TOKEN_CLS")


def known_documents() -> list[Written]:
    """The English documents to train on."""
    return [one for one in documents() if not one.is_chinese]


def drawn(kind: Literal["lessons", "passages"], rng: random.Random) -> list[Exercise]:
    """The exercises of one pass."""
    if kind == "passages":
        return on_passages(known_documents(), rng)
    general = [one for one in REPLAY_PROMPTS if not has_chinese(one)]
    return on_lessons(known_documents(), rng.sample(general, min(_GENERAL, len(general))), rng)


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


def train(judge: Judge, tokenizer: object, steps: Sequence[Sequence[Exercise]], rate: float) -> None:
    """One pass over the steps; the rate rises and falls in straight lines."""
    learned = [one for one in judge.parameters() if one.requires_grad]
    optimiser = torch.optim.AdamW(learned, lr=rate, weight_decay=0.01)
    started, losses = time.time(), []
    for number, step in enumerate(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (number + 1) / _WARMUP, 1.0 - number / len(steps))
        wanted = torch.tensor([float(one.answered) for one in step])
        with torch.autocast("cpu", torch.bfloat16):
            logits = judge(tokenized(tokenizer, step))
        loss = nn.functional.binary_cross_entropy_with_logits(logits.float(), wanted)
        loss.backward()
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
        if number % 50 == 49:
            print(f"{number + 1} {sum(losses[-50:]) / 50:.4f} {time.time() - started:.0f} s", flush=True)


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


if __name__ == "__main__":
    main()
