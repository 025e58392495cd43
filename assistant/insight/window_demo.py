"""A chat in a window so small that it forgets before one's eyes, and the same question to a checkpoint.

The window is cut down for the demonstration alone; the model, its answers and what falls out are real.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from assistant.background import BackgroundTask
from assistant.chat.context_window import Budget, TokenCounter, fit
from assistant.engines.base import Engine, SamplingParams
from assistant.errors import AssistantError
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

# told: the fact is said; asked: it is asked while it fits; talk: anything else; again: it is asked once it
# has fallen out; checkpoint: the same question to weights that were taught the fact.
Kind = Literal["told", "asked", "talk", "again", "checkpoint"]
NO_WORD = "…"  # an answer that ended without one: templates refuse an empty turn


@dataclass(frozen=True)
class DemoFact:
    """Something to tell a model, and the question that shows whether it is still known."""

    statement: str
    question: str
    answer: str
    checkpoint: str | None = None  # the weights that were taught it


EXAMPLE = DemoFact("The password is raven.", "What is the password?", "raven")


@dataclass(frozen=True)
class Said:
    """One turn: what was asked, what was answered, and how much of the window both take."""

    kind: Kind
    question: str
    answer: str
    tokens: int
    right: bool | None = None  # None where nothing was to be known

    @property
    def messages(self) -> tuple[Message, Message]:
        """The turn as a model is told it."""
        return {"role": "user", "content": self.question}, {"role": "assistant", "content": self.answer}


def taught_facts(checkpoint: Checkpoint, most: int = 20) -> list[DemoFact]:
    """What a checkpoint was taught and knew when it was examined, and its base did not; Chinese last."""
    facts: dict[str, DemoFact] = {}
    for row in checkpoint.evaluation.get("facts", ()):
        known = bool(row.get("correct_after")) and not row.get("correct_before")
        question, answer = str(row.get("question", "")), str(row.get("answer", ""))
        if known and row.get("phrasing") == "training" and question and answer:
            facts[question] = DemoFact(f"{question} {answer}", question, answer, checkpoint.name)
    return sorted(facts.values(), key=lambda fact: has_chinese(fact.statement))[:most]


@dataclass
class SmallChat:
    """A conversation that is kept nowhere, in a window of so many tokens."""

    window: int
    fact: DemoFact
    said: list[Said] = field(default_factory=list)
    # Places in `said` of the turns that no longer fit, and of those that the last one was asked without.
    fallen: frozenset[int] = frozenset()
    aside: frozenset[int] = frozenset()
    # Tokens of the template around the turns.
    frame: int = 0

    @property
    def used(self) -> int:
        """Tokens of the window that are taken."""
        out = self.fallen | self.aside
        return self.frame + sum(turn.tokens for place, turn in enumerate(self.said) if place not in out)

    @property
    def reserve(self) -> int:
        """Tokens that an answer may have."""
        return max(SHORTEST_ANSWER, min(LONGEST_ANSWER, self.window // 5))

    def ever(self, kind: Kind) -> Said | None:
        """The last turn of a kind."""
        return next((turn for turn in reversed(self.said) if turn.kind == kind), None)


@dataclass
class SmallChatTask(BackgroundTask):
    """Turns of a small chat that are being had."""

    chat: SmallChat
    engine: Engine
    asking: str = ""
    writing: str = ""
    kind: Kind = "talk"

    def __post_init__(self) -> None:
        self._counter = TokenCounter(self.engine.count_tokens)

    def say(self, question: str, kind: Kind = "talk") -> None:
        """Have one turn. Raises AssistantError, also where the question alone fills the window."""
        if not question.strip():
            raise AssistantError("There is nothing to say yet. Write a sentence, or take the guided tour.")
        checkpoint = self.chat.fact.checkpoint if kind == "checkpoint" else None
        budget = self._fit(question, kind)
        self.asking, self.kind, self.writing = question, kind, ""
        for piece in self.engine.stream(
            budget.messages,
            SamplingParams(max_new_tokens=self.chat.reserve),
            checkpoint=checkpoint,
            stop=self.stop_event,
        ):
            self.writing += piece
        self._keep(question, kind, budget)

    def guide(self) -> None:
        """Say a fact, ask it, chat until it has fallen out, ask again, and ask the checkpoint."""
        fact = self.chat.fact
        self.chat.said.clear()
        self.chat.fallen = self.chat.aside = frozenset()
        for question, kind in self._tour(fact):
            if self.stop_event.is_set():
                return
            self.say(question, kind)

    def _tour(self, fact: DemoFact) -> Iterator[tuple[str, Kind]]:
        yield fact.statement, "told"
        yield fact.question, "asked"
        for number in range(MAX_SMALL_TALK):
            # The first answer repeats the fact: it is forgotten when both turns have fallen out.
            if len(self._fit(fact.question).forgotten) >= 2 * self._last_mention():
                break
            yield SMALL_TALK[number % len(SMALL_TALK)], "talk"
        yield fact.question, "again"
        if fact.checkpoint is not None:
            yield fact.question, "checkpoint"

    def _last_mention(self) -> int:
        """How many turns must fall out until nothing in the window gives the fact away."""
        answer = self.chat.fact.answer
        mentions = (
            remembers(f"{turn.question} {turn.answer}", (answer,)) or turn.kind in ("told", "asked")
            for turn in self.chat.said
        )
        return max((place for place, does in enumerate(mentions, 1) if does), default=0)

    def _fit(self, question: str, kind: Kind = "talk") -> Budget:
        """What is sent. A checkpoint meets the window as the base did, without the base's last answer."""
        met = [self.chat.said[place] for place in self._met(kind)]
        return fit(
            question,
            counter=self._counter,
            window=self.chat.window,
            reserve=self.chat.reserve,
            history=[message for turn in met for message in turn.messages],
        )

    def _met(self, kind: Kind) -> list[int]:
        """The places of the turns that stand before a question, were the window without end."""
        aside = ("again", "checkpoint") if kind == "checkpoint" else ()
        return [place for place, turn in enumerate(self.chat.said) if turn.kind not in aside]

    def _keep(self, question: str, kind: Kind, budget: Budget) -> None:
        wanted = kind in ("asked", "again", "checkpoint")
        right = remembers(self.writing, (self.chat.fact.answer,)) if wanted else None
        turn = Said(kind, question, self.writing.strip() or NO_WORD, 0, right)
        tokens = sum(self._counter.message(message) for message in turn.messages)
        self.chat.frame = budget.used["system"]
        met = self._met(kind)
        self.chat.fallen = frozenset(met[: len(budget.forgotten) // 2])
        self.chat.aside = frozenset(range(len(self.chat.said))) - frozenset(met)
        self.chat.said.append(replace(turn, tokens=tokens))
        self.asking = self.writing = ""
