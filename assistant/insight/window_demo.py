"""A chat in a context window so small that it soon forgets, and the same question to a checkpoint.

Only the size of the window is made up for the demonstration; the model, its answers and the budget are real.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from assistant.background import BackgroundTask
from assistant.chat.context_window import Budget, TokenCounter, fit
from assistant.engines.base import Engine, SamplingParams
from assistant.errors import AssistantError
from assistant.language.statements import statement_of
from assistant.language.text import has_chinese
from tuning.checkpoints.manifest import Checkpoint
from tuning.data.examples import Message
from tuning.evaluation.recall import remembers

WINDOWS = (128, 192, 256, 384)
MAX_SMALL_TALK = 16
SHORTEST_ANSWER, LONGEST_ANSWER = 24, 40  # tokens; a short answer leaves more turns to see
SMALL_TALK = (
    "What is the capital of France?",
    "What do bees make?",
    "How many days are in a week?",
    "Name three colours.",
    "What do cows drink?",
    "What is the opposite of hot?",
    "Why do leaves fall in autumn?",
    "Name a musical instrument.",
)

# told: the fact is stated; asked: it is asked for while it fits the window; talk: anything else; again: it is
# asked for once the window has forgotten it; checkpoint: the same question to a checkpoint that was trained on
# the fact.
Kind = Literal["told", "asked", "talk", "again", "checkpoint"]
EMPTY_ANSWER = "…"  # in place of an empty answer: chat templates refuse an empty message


@dataclass(frozen=True)
class DemoFact:
    """A fact to state, and the question that shows whether the model still knows it."""

    statement: str
    question: str
    answer: str
    checkpoint: str | None = None  # one that was trained on it


EXAMPLE = DemoFact("The password is raven.", "What is the password?", "raven")


@dataclass(frozen=True)
class DemoTurn:
    """One turn, and the tokens that it takes in the window."""

    kind: Kind
    question: str
    answer: str
    tokens: int
    right: bool | None = None  # None where the fact was not asked for

    @property
    def messages(self) -> tuple[Message, Message]:
        """The turn as messages of a prompt."""
        return {"role": "user", "content": self.question}, {"role": "assistant", "content": self.answer}


def taught_facts(checkpoint: Checkpoint, most: int = 20) -> list[DemoFact]:
    """The training facts that a checkpoint knew in its evaluation and its base did not; Chinese last."""
    facts: dict[str, DemoFact] = {}
    for row in checkpoint.evaluation.get("facts", ()):
        known = bool(row.get("correct_after")) and not row.get("correct_before")
        question, answer = str(row.get("question", "")), str(row.get("answer", ""))
        if known and row.get("phrasing") == "training" and question and answer:
            facts[question] = DemoFact(statement_of(question, answer), question, answer, checkpoint.name)
    return sorted(facts.values(), key=lambda fact: has_chinese(fact.statement))[:most]


@dataclass
class SmallChat:
    """A conversation that is not stored, in a context window of `window` tokens."""

    window: int
    fact: DemoFact
    turns: list[DemoTurn] = field(default_factory=list)
    # Indices of the turns that no longer fit the window, and of those that the last prompt left out on purpose.
    forgotten: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()
    # Tokens of the chat template around the turns.
    template_tokens: int = 0

    @property
    def used(self) -> int:
        """Tokens of the window that are used."""
        out = self.forgotten | self.excluded
        return self.template_tokens + sum(
            turn.tokens for place, turn in enumerate(self.turns) if place not in out
        )

    @property
    def reserve(self) -> int:
        """Tokens that are kept free for an answer."""
        return max(SHORTEST_ANSWER, min(LONGEST_ANSWER, self.window // 5))

    def last(self, kind: Kind) -> DemoTurn | None:
        """The last turn of a kind."""
        return next((turn for turn in reversed(self.turns) if turn.kind == kind), None)


@dataclass
class SmallChatTask(BackgroundTask):
    """A turn of a small chat, or the whole tour, in the background."""

    chat: SmallChat
    engine: Engine
    # The running turn.
    question: str = ""
    answer: str = ""
    kind: Kind = "talk"

    def __post_init__(self) -> None:
        self._counter = TokenCounter(self.engine.count_tokens)

    def ask(self, question: str, kind: Kind = "talk") -> None:
        """Run one turn. Raises AssistantError, also where the question alone fills the window."""
        if not question.strip():
            raise AssistantError("There is nothing to say yet. Write a sentence, or take the guided tour.")
        checkpoint = self.chat.fact.checkpoint if kind == "checkpoint" else None
        budget = self._fit(question, kind)
        self.question, self.kind, self.answer = question, kind, ""
        for piece in self.engine.stream(
            budget.messages,
            SamplingParams(max_new_tokens=self.chat.reserve),
            checkpoint=checkpoint,
            stop=self.stop_event,
        ):
            self.answer += piece
        self._keep(question, kind, budget)

    def run_tour(self) -> None:
        """State the fact, ask for it, chat until it is forgotten, ask again, and ask the checkpoint."""
        fact = self.chat.fact
        self.chat.turns.clear()
        self.chat.forgotten = self.chat.excluded = frozenset()
        for question, kind in self._tour(fact):
            if self.stop_event.is_set():
                return
            self.ask(question, kind)

    def _tour(self, fact: DemoFact) -> Iterator[tuple[str, Kind]]:
        yield fact.statement, "told"
        yield fact.question, "asked"
        for number in range(MAX_SMALL_TALK):
            # The first answer repeats the fact: it is forgotten when both turns are.
            if len(self._fit(fact.question).forgotten) >= 2 * self._last_mention():
                break
            yield SMALL_TALK[number % len(SMALL_TALK)], "talk"
        yield fact.question, "again"
        if fact.checkpoint is not None:
            yield fact.question, "checkpoint"

    def _last_mention(self) -> int:
        """How many turns must be forgotten until nothing in the window gives the fact away."""
        answer = self.chat.fact.answer
        mentions = (
            remembers(f"{turn.question} {turn.answer}", (answer,)) or turn.kind in ("told", "asked")
            for turn in self.chat.turns
        )
        return max((place for place, does in enumerate(mentions, 1) if does), default=0)

    def _fit(self, question: str, kind: Kind = "talk") -> Budget:
        """The prompt. A checkpoint gets the one that the base got, without the base's last answer."""
        before = [self.chat.turns[place] for place in self._turns_before(kind)]
        return fit(
            question,
            counter=self._counter,
            window=self.chat.window,
            reserve=self.chat.reserve,
            history=[message for turn in before for message in turn.messages],
        )

    def _turns_before(self, kind: Kind) -> list[int]:
        """The indices of the turns that come before a question, whether or not they fit."""
        excluded = ("again", "checkpoint") if kind == "checkpoint" else ()
        return [place for place, turn in enumerate(self.chat.turns) if turn.kind not in excluded]

    def _keep(self, question: str, kind: Kind, budget: Budget) -> None:
        wanted = kind in ("asked", "again", "checkpoint")
        right = remembers(self.answer, (self.chat.fact.answer,)) if wanted else None
        turn = DemoTurn(kind, question, self.answer.strip() or EMPTY_ANSWER, 0, right)
        tokens = sum(self._counter.message(message) for message in turn.messages)
        self.chat.template_tokens = budget.used["system"]
        before = self._turns_before(kind)
        self.chat.forgotten = frozenset(before[: len(budget.forgotten) // 2])
        self.chat.excluded = frozenset(range(len(self.chat.turns))) - frozenset(before)
        self.chat.turns.append(replace(turn, tokens=tokens))
        self.question = self.answer = ""
