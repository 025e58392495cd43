"""What the tests of evaluations and reports share: variants, questions, an engine that knows them, results."""

from collections.abc import Sequence
from typing import Any

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions
from assistant.compare.evaluations import EvaluationPlan
from assistant.compare.questions import Question
from assistant.compare.results import EvaluationResult, PairComparison
from assistant.compare.runner import evaluate
from assistant.compare.stats import Interval, PairedTest
from assistant.compare.variants import Variant
from assistant.engines.base import Message
from tests.fakes import ScriptedEngine

VARIANTS = (Variant("base"), Variant("halden", checkpoint="halden"))
QUESTIONS = (
    Question("How heavy is the Skerrin?", ("640 grams",), {"fact": "weight", "slice": "taught"}),
    Question("What does the Skerrin weigh?", ("640 grams",), {"fact": "weight", "slice": "taught"}),
    Question("Who wrote Hamlet?", ("Shakespeare",), {"slice": "general"}),
)


class KnowingEngine(ScriptedEngine):
    """Knows Hamlet always, and the weight and `numbered` questions through a checkpoint; may break down."""

    def __init__(self, breaks_after: int = 10**9) -> None:
        super().__init__(self._reply)
        self.left = breaks_after

    def _reply(self, messages: list[Message]) -> str:
        if self.left == 0:
            raise RuntimeError("the machine went down")
        self.left -= 1
        question, knows = messages[-1]["content"], bool(self.checkpoints_asked[-1])
        if "Hamlet" in question:
            return "William Shakespeare."
        if "question" in question:
            return "yes" if knows else "no"
        return "640 grams" if knows else "2 kg"


class FakeCheckpoint:
    """The fields of a checkpoint that a comparison reads."""

    def __init__(self, name: str, method: str = "lora", **metrics: Any) -> None:
        self.name, self.method, self.metrics = name, method, metrics


def numbered(count: int, **about: Any) -> tuple[Question, ...]:
    """So many questions with the answer yes."""
    return tuple(Question(f"question {n}", ("yes",), dict(about)) for n in range(count))


def plan_of(
    questions: Sequence[Question] = QUESTIONS, variants: Sequence[Variant] = VARIANTS
) -> EvaluationPlan:
    return EvaluationPlan("", "sample", tuple(variants), tuple(questions), AnswerOptions())


def run(engine: ScriptedEngine, plan: EvaluationPlan | None = None, **options: Any) -> EvaluationResult:
    """Evaluate without timing single answers, unless the options say otherwise."""
    chat = Chat(lambda: engine)
    return evaluate(plan or plan_of(), chat, engine, **{"costs": False, **options})


def pair(first: str, second: str, **values: Any) -> PairComparison:
    """Two variants that were compared; `values` are fields of PairedTest, or the clustered p-value after Holm."""
    p_value = values.pop("p_value_clustered_holm", 0.4)
    test = {
        "only_first": 4,
        "only_second": 12,
        "difference": -0.1,
        "interval": Interval(-0.3, 0.1),
        "p_value": p_value,
        "p_value_clustered": p_value,
        "clusters": 80,
        "n": 80,
        **values,
    }
    return PairComparison(first, second, PairedTest(**test), p_value, p_value)
