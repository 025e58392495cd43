"""Train the adapters with which an embedding model marks the answers in a message, and asks for them in Chinese.

    python -m benchmarks.facts.make_answers --language en --output ADAPTER      # three minutes on one core
    imprint setup --multilingual
    python -m benchmarks.facts.make_answers --language zh --output ADAPTER      # ten minutes
    python -m benchmarks.statements --reader

A low-rank change of every matrix of the encoder, and heads on its tokens' states. Imprint ships the results as
`assistant/curation/reader/answers`.
"""

import argparse
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

from assistant.curation.reader.answer_spans import BEGINS, GOES_ON, MAX_TOKENS, NONE
from assistant.curation.reader.in_place import QUESTION_WORDS, marked
from assistant.language.text import has_chinese
from assistant.settings import load_settings
from benchmarks.answerability.low_rank import ATTENTION, add_low_rank, fit, parameters_of, write
from benchmarks.facts.in_place_labels import InPlace, from_documents, from_messages
from benchmarks.skills.written_sets import messages
from benchmarks.statements import messages_of
from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS, MULTILINGUAL
from knowledge.search.likeness import Language, encoder_folder

_DROPOUT = 0.1
_HEAD_RATE = 2e-3
_IGNORED = -100
_PREPOSITION = re.compile(
    r"(?:in|on|at|by|for|with|from|to|through|off|out of|due to|because of|since|until) ", re.I
)
_LOWER = 0.15  # of the messages are read without their first capital
_FROM_MESSAGES, _FROM_DOCUMENTS = 12, 8  # questions in place a step


@dataclass(frozen=True)
class Plan:
    """How the encoder of a language is trained."""

    rank: int
    steps: int
    messages: int  # of a step
    rate: float


PLANS: dict[Language, Plan] = {"en": Plan(32, 220, 24, 1e-3), "zh": Plan(16, 300, 20, 5e-4)}


class Marker(nn.Module):
    """The encoder with its heads: labels of tokens, and for Chinese what a question keeps and its question word."""

    def __init__(self, folder: Path, plan: Plan, language: Language) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(
            folder, dtype=torch.float32, attn_implementation=ATTENTION,
            hidden_dropout_prob=_DROPOUT, attention_probs_dropout_prob=_DROPOUT,
        )  # fmt: skip
        self.changed = add_low_rank(self.encoder, plan.rank)
        size = self.encoder.config.hidden_size
        self.heads = nn.ModuleDict({"span": nn.Linear(size, 3)})
        if language == "zh":
            self.heads["keep"] = nn.Linear(size, 1)
            self.heads["word"] = nn.Linear(size, len(QUESTION_WORDS))
        self._tokenizer = AutoTokenizer.from_pretrained(folder)

    def forward(self, texts: Sequence[str]) -> tuple[Tensor, list[list[list[int]]]]:
        """The states [texts, tokens, hidden], and where each token begins and ends; added ones are empty."""
        padded = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=MAX_TOKENS, return_offsets_mapping=True,
            return_tensors="pt",
        )  # fmt: skip
        places = padded.pop("offset_mapping").tolist()
        with torch.autocast("cpu", torch.bfloat16):
            states = self.encoder(**padded).last_hidden_state
        return states.float(), places


def loss_of_spans(model: Marker, batch: Sequence[tuple[str, Sequence[tuple[int, int]]]]) -> Tensor:
    """Cross entropy of the tokens' labels; `batch` has texts with their answers."""
    states, places = model([text for text, _ in batch])
    labels = torch.full(states.shape[:2], _IGNORED)
    for row, (_, answers) in enumerate(batch):
        for at, (first, last) in enumerate(places[row]):
            if last > first:
                held = [start for start, end in answers if first < end and last > start]
                labels[row, at] = NONE if not held else BEGINS if first <= held[0] else GOES_ON
    logits = model.heads["span"](states)
    return nn.functional.cross_entropy(logits.transpose(1, 2), labels, ignore_index=_IGNORED)


def loss_in_place(model: Marker, batch: Sequence[InPlace]) -> Tensor:
    """Of what a question keeps, and half of that of its question word."""
    states, places = model([marked(one.text, one.start, one.end) for one in batch])
    wanted, inside = torch.full(states.shape[:2], -1.0), torch.zeros(states.shape[:2])
    for row, one in enumerate(batch):
        within: list[bool | None] = [None] * (one.end - one.start + 2)
        flags: list[bool | None] = [*one.kept[: one.start], *within, *one.kept[one.end :]]
        for at, (first, last) in enumerate(places[row]):
            if last <= first:
                continue
            known = [flag for flag in flags[first:last] if flag is not None]
            if known:
                wanted[row, at] = float(sum(known) * 2 >= len(known))
            inside[row, at] = float(first <= one.end + 1 and last > one.start)
    seen = wanted >= 0
    kept = nn.functional.binary_cross_entropy_with_logits(
        model.heads["keep"](states)[..., 0][seen], wanted[seen]
    )
    pooled = (states * inside[..., None]).sum(dim=1) / inside.sum(dim=1, keepdim=True)
    word = nn.functional.cross_entropy(model.heads["word"](pooled), torch.tensor([one.word for one in batch]))
    return kept + 0.5 * word


def answered() -> list[tuple[str, list[tuple[int, int]]]]:
    """Messages with the places of their answers: those written for this, and those that the rules were written from."""
    told = [(one.text, [answer for _, answer in one.pairs]) for one in messages()]
    told += [
        (one["text"], [_bare(fact["answers"]) for fact in one["facts"]]) for one in messages_of("looked at")
    ]
    return [
        (text, [(text.find(one), text.find(one) + len(one)) for one in answers if one in text])
        for text, answers in told
    ]


def _bare(answers: Sequence[str]) -> str:
    """The first form of an answer, without the preposition before it where that is a form as well."""
    without = _PREPOSITION.sub("", answers[0], count=1)
    return without if without in answers else answers[0]


def losses(model: Marker, language: Language, plan: Plan, rng: random.Random) -> Iterator[Tensor]:
    """The loss of each step."""
    known = [one for one in answered() if has_chinese(one[0]) == (language == "zh")]
    pairs, of_documents = (from_messages(), from_documents()) if language == "zh" else ([], [])
    drawn: list[tuple[str, list[tuple[int, int]]]] = []
    asked: list[InPlace] = []
    for _ in range(plan.steps):
        if len(drawn) < plan.messages:
            drawn = rng.sample(known, len(known))
        batch = [drawn.pop() for _ in range(plan.messages)]
        batch = [(t[0].lower() + t[1:], spans) if rng.random() < _LOWER else (t, spans) for t, spans in batch]
        loss = loss_of_spans(model, batch)
        if language == "zh":
            if len(asked) < _FROM_MESSAGES:
                asked = rng.sample(pairs, len(pairs))
            questions = [asked.pop() for _ in range(_FROM_MESSAGES)]
            loss = loss + loss_in_place(model, [*questions, *rng.sample(of_documents, _FROM_DOCUMENTS)])
        yield loss


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
    plan = PLANS[options.language]
    model = Marker(encoder_folder(options.language, load_settings().home), plan, options.language)
    rated = [(parameters_of(model.changed), plan.rate), (list(model.heads.parameters()), _HEAD_RATE)]
    model.train()
    fit(losses(model, options.language, plan, random.Random(options.seed)), rated, plan.steps)
    base = DEFAULT_EMBEDDINGS if options.language == "en" else MULTILINGUAL
    write(options.output, model.changed, model.heads.state_dict(), base, "TOKEN_CLS")


if __name__ == "__main__":
    main()
