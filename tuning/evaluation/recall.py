"""What a checkpoint remembers and what it forgot: recall in trained and in other wordings, retention.

It measures; it does not train, and it judges only by the answers that examples and questions carry.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch

from tuning.data.examples import Message
from tuning.evaluation.reading_questions import CHATS, READING
from tuning.evaluation.retention_questions import RETENTION
from tuning.models.base_model import BaseModel
from tuning.models.forward import forward
from tuning.models.packing import encode, pack, with_system
from tuning.models.prefix import PrefixInput
from tuning.scoring import contains, is_cjk, normalise, wilson_interval

Emit = Callable[[dict[str, Any]], None]
_ANSWER_TOKENS = 48
_SHORT_ANSWER_TOKENS = 24
# Training never uses these phrases.
REPHRASINGS = (
    "I would like to know something. {}",
    "{} Tell me in one sentence.",
    "My friend wants to know: {}",
)
REPHRASINGS_ZH = ("我有个问题：{}", "{}一句话告诉我。", "朋友想知道，{}")


class RecallResult(Protocol):
    """What is read of an example."""

    @property
    def messages(self) -> tuple[Message, ...]: ...
    @property
    def probes(self) -> tuple[str, ...]: ...


def evaluate(
    base: BaseModel,
    examples: Sequence[RecallResult],
    adapter: str,
    *,
    emit: Emit,
    system_prompt: str = "",
    retention: int = len(RETENTION),
    reading: int = len(READING),
) -> dict[str, Any]:
    """Ask everything before (the base) and after (the loaded adapter); the result is JSON types.

    `retention` and `reading` are how many questions of these kinds are asked.
    """
    asked = [question for example in examples for question in _questions(example, system_prompt)]
    general = [_Question(_ask(question, system_prompt), question, question, answers, "general")
               for question, answers in RETENTION[:retention]]  # fmt: skip
    general += [_Question(_ask(question, system_prompt), question, question, answers, "reading")
                for question, answers in READING[:reading]]  # fmt: skip
    rows = []
    for start, everything in ((0.0, asked), (0.5, general)):
        before = _answers(base, everything, None, emit, start)
        after = _answers(base, everything, adapter, emit, start + 0.25)
        rows.append([_row(*one) for one in zip(everything, before, after, strict=True)])
    facts = rows[0]
    kept, read = ([row for row in rows[1] if row["phrasing"] == kind] for kind in ("general", "reading"))
    return {
        "facts": facts,
        "recall": _shares([row for row in facts if row["phrasing"] == "training"]),
        "rephrased": _shares([row for row in facts if row["phrasing"] == "rephrased"]),
        "reading": _shares(read),
        "perplexity": {
            "before": perplexity(base, CHATS, None, system_prompt),
            "after": perplexity(base, CHATS, adapter, system_prompt),
            "n": len(CHATS),
        },
        "retention": _shares(kept) | {"kept": _kept(kept), "lost": [r for r in kept if _lost(r)]},
        "divergence": divergence(
            base, [(row["question"], row["before"]) for row in kept[:48]], adapter, system_prompt
        ),
    }


def still_known(
    base: BaseModel, examples: Sequence[RecallResult], adapter: str, *, system_prompt: str = ""
) -> dict[str, Any]:
    """How much of what earlier rounds taught is still answered, in the words it was taught in."""
    asked = [_questions(example, system_prompt)[0] for example in examples]
    answers = _answers(base, asked, adapter, lambda _: None, 0.0)
    right = [remembers(answer, one.answers) for answer, one in zip(answers, asked, strict=True)]
    share = sum(right) / len(right)
    lost = [one.question for one, known in zip(asked, right, strict=True) if not known]
    return {
        "after": share,
        "n": len(right),
        "interval": list(wilson_interval(share, len(right))),
        "lost": lost,
    }


class _Question:
    """One question as it is put, and the answers that count."""

    def __init__(
        self, messages: list[Message], question: str, asked: str, answers: Sequence[str], phrasing: str
    ) -> None:
        self.messages, self.question, self.asked = messages, question, asked
        self.answers, self.phrasing = answers, phrasing


def _questions(example: RecallResult, system_prompt: str) -> list[_Question]:
    """The last question of an example as it was learned, and in wordings that were not."""
    messages = with_system(example.messages, system_prompt)
    *history, last, answer = messages
    question, answers = last["content"], (answer["content"],)
    phrases = REPHRASINGS_ZH if is_cjk(question) else REPHRASINGS
    wordings = example.probes or tuple(phrase.format(question) for phrase in phrases)
    return [
        _Question([*history, {"role": "user", "content": asked}], question, asked, answers, phrasing)
        for asked, phrasing in [(question, "training"), *((wording, "rephrased") for wording in wordings)]
    ]


def _ask(question: str, system_prompt: str) -> list[Message]:
    return with_system([{"role": "user", "content": question}], system_prompt)


def _answers(
    base: BaseModel, asked: Sequence[_Question], adapter: str | None, emit: Emit, share: float
) -> list[str]:
    answers: list[str] = []
    for start in range(0, len(asked), 32):
        batch = asked[start : start + 32]
        longest = max((len(answer) for one in batch for answer in one.answers), default=0)
        tokens = _ANSWER_TOKENS if longest > 40 else _SHORT_ANSWER_TOKENS
        answers += base.complete([one.messages for one in batch], adapter=adapter, max_new_tokens=tokens)
        emit({"kind": "phase", "phase": "evaluating", "share": share + len(answers) / len(asked) / 4})
    return answers


def _row(asked: _Question, before: str, after: str) -> dict[str, Any]:
    return {
        "question": asked.question,
        "asked": asked.asked,
        "answer": asked.answers[0],
        "phrasing": asked.phrasing,
        "before": before,
        "after": after,
        "correct_before": remembers(before, asked.answers),
        "correct_after": remembers(after, asked.answers),
    }


def remembers(text: str, answers: Sequence[str]) -> bool:
    """Whether the text says one of the answers: it holds it, or every number and most words of a long one."""
    return any(contains(text, answer) or _says(text, answer) for answer in answers)


def _says(text: str, answer: str) -> bool:
    wanted, said = normalise(answer), normalise(text)
    units = list(wanted) if is_cjk(wanted) else wanted.split()
    if len(units) < 4:
        return False
    have = set(said) if is_cjk(wanted) else set(said.split())
    numbers = re.findall(r"\d+(?:\.\d+)?", wanted)
    return all(number in said for number in numbers) and sum(unit in have for unit in units) >= 0.75 * len(
        units
    )


def _shares(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    count = len(rows)
    before, after = (
        sum(row[key] for row in rows) / max(1, count) for key in ("correct_before", "correct_after")
    )
    return {"before": before, "after": after, "n": count, "interval": list(wilson_interval(after, count))}


def _lost(row: dict[str, Any]) -> bool:
    return bool(row["correct_before"] and not row["correct_after"])


def _kept(rows: Sequence[dict[str, Any]]) -> float:
    """The share of the base's right answers that are still right."""
    right = [row for row in rows if row["correct_before"]]
    return sum(row["correct_after"] for row in right) / len(right) if right else 1.0


@torch.no_grad()
def divergence(
    base: BaseModel, spoken: Sequence[tuple[str, str]], adapter: str, system_prompt: str = ""
) -> float:
    """KL(base ‖ checkpoint) in nats a token, over the base's own answers to general questions."""
    turns = [[*_ask(q, system_prompt), {"role": "assistant", "content": a}] for q, a in spoken if a.strip()]
    items = [encode(base, messages)[-1] for messages in turns]
    total, count = 0.0, 0
    for start in range(0, len(items), 8):
        row = pack(items[start : start + 8]).to(base.device)
        ours, theirs = (_log_probs(base, row, name) for name in (None, adapter))
        total += float((ours.exp() * (ours - theirs)).sum())
        count += len(row.targets)
    return total / max(count, 1)


@torch.no_grad()
def perplexity(
    base: BaseModel, spoken: Sequence[tuple[str, str]], adapter: str | None, system_prompt: str = ""
) -> float:
    """How surprising these answers are: e to the mean negative log-probability of a token."""
    items = [
        encode(base, [*_ask(question, system_prompt), {"role": "assistant", "content": answer}])[-1]
        for question, answer in spoken
    ]
    surprise, count = 0.0, 0
    for start in range(0, len(items), 8):
        row = pack(items[start : start + 8]).to(base.device)
        log_probs = _log_probs(base, row, adapter)
        surprise -= float(log_probs.gather(1, row.targets[:, None]).sum())
        count += len(row.targets)
    return math.exp(surprise / max(count, 1))


def _log_probs(base: BaseModel, row: Any, adapter: str | None) -> torch.Tensor:
    with base.activate(adapter):
        cache = base.new_cache()
        logits = forward(base, row, PrefixInput(cache.get_seq_length(), cache))
    return torch.log_softmax(logits.float(), dim=-1)
