"""A language model as the judge between two answers: any LangChain chat model but the small default one.

It is asked in both orders; a verdict that changes with the order is a tie. It never sees the names of the variants.
"""

import hashlib
import json
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage
from pydantic import SecretStr

from assistant.compare.questions import Question
from assistant.compare.ranking import tally
from assistant.compare.record_log import RecordLog
from assistant.compare.votes import Outcome, Tally, Vote
from assistant.errors import CompareError

if TYPE_CHECKING:
    from openai import OpenAI

KINDS: tuple[Literal["endpoint", "provider", "reward"], ...] = ("endpoint", "provider", "reward")
_WAIT_SECONDS = 60
_LIST_SECONDS = 5
_TOO_SMALL = re.compile(r"smollm2?[-_ ]?(?:135|360)m", re.IGNORECASE)
_SYSTEM = (
    "You compare two answers to one question. Judge only whether they answer the question rightly and "
    "plainly; a longer answer is not a better one, and the order says nothing. Think in at most two "
    "sentences, "
    "then end with one line: VERDICT: A, VERDICT: B or VERDICT: TIE."
)
_VERDICT = re.compile(r"VERDICT\s*[:：]\s*\**\s*(A|B|TIE)\b", re.IGNORECASE)


@dataclass(frozen=True)
class JudgeChoice:
    """Which model judges: one at an OpenAI-compatible endpoint, `provider:model` of LangChain, a reward checkpoint."""

    model: str
    kind: Literal["endpoint", "provider", "reward"] = "endpoint"
    url: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise CompareError(f"A judge is reached by {' or '.join(KINDS)}, and {self.kind!r} was given.")
        if not self.model.strip():
            raise CompareError("No judge is named. Give the name of a chat model.")
        if _TOO_SMALL.search(self.model):
            raise _too_small(self.model)
        if self.kind == "endpoint" and not self.url.startswith(("http://", "https://")):
            raise CompareError(
                f"The judge's address is {self.url!r}; expected a URL such as http://127.0.0.1:8000/v1."
            )

    def to_dict(self) -> dict[str, str]:
        """JSON form; an API key is never part of it."""
        return dict(asdict(self))


@dataclass(frozen=True)
class JudgeVerdict:
    """A judge's verdict on two answers, from both orders."""

    outcome: Outcome
    # The verdicts of the two orders contradict each other.
    flipped: bool = False
    # A reply held no verdict.
    unclear: bool = False

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "JudgeVerdict":
        """Read the JSON form, `asdict`."""
        return cls(record["outcome"], bool(record.get("flipped")), bool(record.get("unclear")))


@dataclass(frozen=True)
class JudgeSummary:
    """All verdicts of a judge over an evaluation, counted."""

    choice: JudgeChoice
    verdicts: int
    flipped: int
    unclear: int
    tally: Tally

    def to_dict(self) -> dict[str, Any]:
        """JSON form, flat; `from_dict` reads it."""
        counts = {"verdicts": self.verdicts, "flipped": self.flipped, "unclear": self.unclear}
        return {**counts, **self.choice.to_dict(), **self.tally.to_dict()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "JudgeSummary":
        """Read the JSON form."""
        return cls(
            choice=JudgeChoice(record["model"], record["kind"], record["url"]),
            verdicts=record["verdicts"],
            flipped=record["flipped"],
            unclear=record["unclear"],
            tally=Tally.from_dict(record),
        )

    def renamed(self, names: Mapping[str, str]) -> "JudgeSummary":
        """The same verdicts with variants called by other names."""
        return replace(self, tally=self.tally.renamed(names))


def _too_small(what: str) -> CompareError:
    return CompareError(
        f"{what!r} is too small to judge: its verdicts follow the order of the answers. "
        "Choose a model with some billions of parameters."
    )


def open_model(choice: JudgeChoice, key: str = "") -> BaseChatModel:
    """Open the chat model of a choice; `key` or OPENAI_API_KEY is sent to it alone. Raises CompareError."""
    if choice.kind == "endpoint":
        from langchain_openai import ChatOpenAI  # heavy, and only for judges

        secret = SecretStr(key or os.environ.get("OPENAI_API_KEY", "") or "none")
        model = ChatOpenAI(
            base_url=choice.url, model=choice.model, api_key=secret, temperature=0, timeout=_WAIT_SECONDS
        )
        if _TOO_SMALL.search(parent := _parent(model.root_client, choice.model)):
            raise _too_small(f"{choice.model} ({parent})")
        return model
    from langchain.chat_models import init_chat_model  # heavy, and only for judges

    try:
        return init_chat_model(choice.model, temperature=0)
    except (ImportError, ValueError) as error:
        raise CompareError(
            f"The judge {choice.model!r} cannot be opened: {error}. Write provider:model, and "
            f"install its package."
        ) from error


def _parent(client: "OpenAI", name: str) -> str:
    """The model from which this one was tuned, as the endpoint lists it; empty where it does not say."""
    from openai import OpenAIError  # heavy, and only for judges

    try:
        listed = client.with_options(timeout=_LIST_SECONDS, max_retries=0).models.list().data
    except OpenAIError:  # reported when the judge is asked
        return ""
    return next((str((one.model_extra or {}).get("parent") or "") for one in listed if one.id == name), "")


class Judging(Protocol):
    """Gives verdicts on two answers to one question."""

    @property
    def choice(self) -> JudgeChoice: ...
    def __call__(self, question: Question, first: str, second: str) -> JudgeVerdict: ...


class Judge:
    """Asks one chat model for verdicts, each once: the file at `path` keeps them between runs."""

    def __init__(self, model: BaseChatModel, choice: JudgeChoice, path: Path | None = None) -> None:
        self.choice = choice
        self._model = model
        self._log = None if path is None else RecordLog(path)
        self._known = {} if path is None else known_verdicts(path)

    @classmethod
    def open(cls, choice: JudgeChoice, path: Path, key: str = "") -> "Judge":
        """The judge of a choice, with its model opened. Raises CompareError."""
        return cls(open_model(choice, key), choice, path)

    def __call__(self, question: Question, first: str, second: str) -> JudgeVerdict:
        """The verdict on two answers. Raises CompareError where the judge cannot be asked."""
        if first.strip() == second.strip():
            return JudgeVerdict("tie")
        key = verdict_key(self.choice, question, first, second)
        if key not in self._known:
            self._keep(key, combine(self._ask(question, first, second), self._ask(question, second, first)))
        return self._known[key]

    def _ask(self, question: Question, a: str, b: str) -> str | None:
        """A, B, TIE, or None where the reply holds no verdict."""
        expected = f"\n\nAn accepted answer: {' / '.join(question.answers[:5])}" if question.answers else ""
        if question.is_unknown and not question.about.get("own"):
            expected = "\n\nThe answer is not known to anybody; saying so is right."
        text = f"Question: {question.text}{expected}\n\nAnswer A:\n{a}\n\nAnswer B:\n{b}"
        try:
            reply = self._model.invoke([SystemMessage(_SYSTEM), HumanMessage(text)])
        except Exception as error:  # every provider has errors of its own
            raise CompareError(
                f"The judge {self.choice.model} did not answer ({type(error).__name__}: {str(error)[:200]}). "
                "Check its address, name and key; what was judged is kept."
            ) from error
        found = _VERDICT.findall(reply.text)
        return found[-1].upper() if found else None

    def _keep(self, key: str, verdict: JudgeVerdict) -> None:
        self._known[key] = verdict
        if self._log is not None:
            self._log.append([{"key": key, **asdict(verdict)}])


def known_verdicts(path: Path) -> dict[str, JudgeVerdict]:
    """The verdicts of a file of all judges, by `verdict_key`; none where there is no file."""
    return {
        str(record["key"]): JudgeVerdict.from_dict(record)
        for record in RecordLog(path).read()
        if {"key", "outcome"} <= record.keys()
    }


def verdict_key(choice: JudgeChoice, question: Question, first: str, second: str) -> str:
    """What a verdict is kept by: the judge's model, the question with its accepted answers, the answers in order."""
    facts = [choice.model, question.text, list(question.answers), first, second]
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def combine(forward: str | None, backward: str | None) -> JudgeVerdict:
    """One verdict from those of two orders; in `backward` the answers changed places."""
    if forward is None or backward is None:
        return JudgeVerdict("tie", unclear=True)
    swapped = {"A": "B", "B": "A", "TIE": "TIE"}[backward]
    if forward == swapped:
        return JudgeVerdict({"A": "first", "B": "second", "TIE": "tie"}[forward])  # type: ignore[arg-type]
    return JudgeVerdict("tie", flipped={forward, swapped} == {"A", "B"})


def judge_answers(
    judge: Judging,
    questions: Sequence[Question],
    answers: Mapping[str, Sequence[str]],
    *,
    on_judged: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
) -> JudgeSummary:
    """Verdicts between every two variants on every question; `answers` are texts by variant and question.

    Raises CompareError where the judge cannot be asked, or the work was stopped.
    """
    pairs = list(combinations(answers, 2))
    votes: list[Vote] = []
    flipped = unclear = 0
    for place, question in enumerate(questions):
        for first, second in pairs:
            if stop is not None and stop.is_set():
                raise CompareError("The judging was stopped. What was judged is kept.")
            verdict = judge(question, answers[first][place], answers[second][place])
            votes.append(Vote(question.text, first, second, verdict.outcome, "judge"))
            flipped, unclear = flipped + verdict.flipped, unclear + verdict.unclear
            if on_judged is not None:
                on_judged(len(votes), len(questions) * len(pairs))
    return JudgeSummary(judge.choice, len(votes), flipped, unclear, tally(votes))
