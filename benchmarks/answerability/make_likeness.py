"""Train the adapters with which an embedding model tells whether a question–answer pair answers a question.

    python -m benchmarks.answerability.make_likeness --language en --output ADAPTER      # 25 minutes, others beside
    imprint setup --multilingual
    python -m benchmarks.answerability.make_likeness --language zh --output ADAPTER
    python -m benchmarks.answerability.evaluate --likeness FOLDER      # that has the adapters as "en" and "zh"

A low-rank change of every matrix of the encoder, the scale of its cosines, and their offset. A step has the lessons of
several documents, some facts left out; every question is to choose its own lesson, or none of them, whose log-odds are
0. Imprint ships the result as `knowledge/search/likeness`.
"""

import argparse
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

from assistant.settings import load_settings
from benchmarks.answerability.exercises import lesson
from benchmarks.answerability.low_rank import ATTENTION, add_low_rank, fit, parameters_of, write
from benchmarks.skills.written_sets import Written, documents
from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS, MULTILINGUAL
from knowledge.search.likeness import MAX_TOKENS, PREFIXES, Language, encoder_folder

_RATE_OF_THE_TWO = 1e-2
_LEFT_OUT, _NEAR = 3, 2  # facts of a document at most that are not taught; questions that it nearly answers


@dataclass(frozen=True)
class Plan:
    """How the encoder of a language is trained."""

    rank: int
    steps: int
    documents: int  # of a step
    rate: float
    scale: float  # of the cosines, to begin with
    offset: float


PLANS: dict[Language, Plan] = {
    "en": Plan(32, 300, 12, 1e-3, 30.0, -18.0),
    "zh": Plan(16, 300, 8, 5e-4, 30.0, -27.0),
}


class Vectors(nn.Module):
    """The encoder, and what makes log-odds of cosines."""

    def __init__(self, folder: Path, plan: Plan, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix
        self.encoder = AutoModel.from_pretrained(
            folder, dtype=torch.float32, attn_implementation=ATTENTION,
            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        )  # fmt: skip
        self.changed = add_low_rank(self.encoder, plan.rank)
        self.log_scale = nn.Parameter(torch.tensor(math.log(plan.scale)))
        self.offset = nn.Parameter(torch.tensor(plan.offset))
        self._tokenizer = AutoTokenizer.from_pretrained(folder)

    def forward(self, questions: Sequence[str], lessons: Sequence[str]) -> Tensor:
        """The log-odds [questions, lessons]."""
        texts = [f"{self._prefix}{text}" for text in (*questions, *lessons)]
        padded = self._tokenizer(
            texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )
        with torch.autocast("cpu", torch.bfloat16):
            states = self.encoder(**padded).last_hidden_state
        pooled = (states.float() * padded["attention_mask"].unsqueeze(-1)).sum(dim=1)
        vectors = nn.functional.normalize(pooled, dim=-1)
        cosines = vectors[: len(questions)] @ vectors[len(questions) :].T
        return cosines * self.log_scale.exp() + self.offset


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and write the adapter."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True, help="folder of the adapter")
    parser.add_argument("--language", choices=PLANS, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.manual_seed(options.seed)
    plan, folder = PLANS[options.language], encoder_folder(options.language, load_settings().home)
    model = Vectors(folder, plan, PREFIXES[options.language])
    known = [one for one in documents() if one.is_chinese == (options.language == "zh")]
    two = [model.log_scale, model.offset]
    rated = [(parameters_of(model.changed), plan.rate), (two, _RATE_OF_THE_TWO)]
    fit(losses(model, steps(known, plan, random.Random(options.seed))), rated, plan.steps)
    rest = {"scale": model.log_scale.exp(), "offset": model.offset}
    base = DEFAULT_EMBEDDINGS if options.language == "en" else MULTILINGUAL
    write(options.output, model.changed, rest, base, "FEATURE_EXTRACTION")


def steps(
    known: Sequence[Written], plan: Plan, rng: random.Random
) -> Iterator[tuple[list[str], list[str], list[int]]]:
    """Questions, lessons, and the place of the lesson that answers each question, past the last where none does."""
    drawn: list[Written] = []
    for _ in range(plan.steps):
        if len(drawn) < plan.documents:
            drawn = rng.sample(known, len(known))
        questions: list[tuple[str, int | None]] = []
        lessons: list[str] = []
        for document in (drawn.pop() for _ in range(plan.documents)):
            pairs = [one for one in document.pairs if len(one.wordings) > 1]
            taught = rng.sample(pairs, max(1, len(pairs) - rng.randint(1, _LEFT_OUT)))
            for pair in pairs:
                asked, other = rng.sample(pair.wordings, 2)
                questions.append((asked, len(lessons) if pair in taught else None))
                if pair in taught:
                    lessons.append(lesson(other, pair.answer))
            near = rng.sample(document.unanswerable, min(_NEAR, len(document.unanswerable)))
            questions += [(question, None) for question in near]
        wanted = [len(lessons) if place is None else place for _, place in questions]
        yield [question for question, _ in questions], lessons, wanted


def losses(model: Vectors, drawn: Iterator[tuple[list[str], list[str], list[int]]]) -> Iterator[Tensor]:
    """Of each step how surely the questions choose what they are to choose."""
    for questions, lessons, wanted in drawn:
        found = model(questions, lessons)
        choices = torch.cat([found, found.new_zeros(len(questions), 1)], dim=1)
        yield nn.functional.cross_entropy(choices, torch.tensor(wanted))


if __name__ == "__main__":
    main()
