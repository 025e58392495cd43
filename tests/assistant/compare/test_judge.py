"""The judge: both orders, flips as ties, what is refused, what a real endpoint hears."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import uvicorn
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions
from assistant.compare.evaluations import EvaluationPlan
from assistant.compare.judge import Judge, JudgeChoice, JudgeVerdict, combine, judge_answers, open_model
from assistant.compare.questions import Question
from assistant.compare.runner import evaluate
from assistant.compare.variants import Variant
from assistant.errors import CompareError
from assistant.server.app import create_app
from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.fakes import ScriptedEngine
from tuning.data.examples import Message

CHOICE = JudgeChoice("large", url="http://127.0.0.1:1/v1")
QUESTION = Question("How heavy is it?", ("640 grams",))


class Rule(BaseChatModel):
    """Judges by a rule over the two answers it is shown."""

    rule: Any
    asked: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "rule"

    def _generate(self, messages: list[BaseMessage], stop: Any = None, **options: Any) -> ChatResult:
        text = str(messages[-1].content)
        self.asked.append(text)
        a, b = text.split("Answer A:\n")[1].split("\n\nAnswer B:\n")
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.rule(a, b)))])


def by_truth(a: str, b: str) -> str:
    """Prefers the answer that says 640, wherever it stands."""
    right = [side for side, text in (("A", a), ("B", b)) if "640" in text]
    return f"I compared both.\nVERDICT: {right[0] if len(right) == 1 else 'TIE'}"


def test_a_judge_that_sees_the_difference_is_heard() -> None:
    model = Rule(rule=by_truth)
    judge = Judge(model, CHOICE)
    assert judge(QUESTION, "It weighs 640 grams.", "2 kg") == JudgeVerdict("first")
    assert judge(QUESTION, "2 kg", "It weighs 640 grams.") == JudgeVerdict("second")
    assert judge(QUESTION, "2 kg", "3 kg") == JudgeVerdict("tie")
    assert "640 grams" in model.asked[0] and "base" not in "".join(model.asked)


def test_a_judge_that_follows_the_order_is_a_tie() -> None:
    verdict = Judge(Rule(rule=lambda a, b: "VERDICT: A"), CHOICE)(QUESTION, "x", "y")
    assert verdict == JudgeVerdict("tie", flipped=True)


@pytest.mark.parametrize("reply", ["Both are fine, A perhaps.", "", "VERDICT: maybe"])
def test_a_reply_without_a_verdict_is_a_tie_and_counted(reply: str) -> None:
    assert Judge(Rule(rule=lambda a, b: reply), CHOICE)(QUESTION, "x", "y") == JudgeVerdict(
        "tie", unclear=True
    )


@pytest.mark.parametrize(
    ("forward", "backward", "expected"),
    [
        ("A", "B", JudgeVerdict("first")),
        ("B", "A", JudgeVerdict("second")),
        ("TIE", "TIE", JudgeVerdict("tie")),
        ("A", "A", JudgeVerdict("tie", flipped=True)),
        ("A", "TIE", JudgeVerdict("tie")),
        (None, "B", JudgeVerdict("tie", unclear=True)),
    ],
)
def test_two_orders_make_one_verdict(forward: str | None, backward: str, expected: JudgeVerdict) -> None:
    assert combine(forward, backward) == expected


def test_the_same_words_need_no_judge() -> None:
    model = Rule(rule=by_truth)
    assert Judge(model, CHOICE)(QUESTION, "same ", "same") == JudgeVerdict("tie")
    assert model.asked == []


def test_an_interrupted_judgement_goes_on_where_it_was(tmp_path: Path) -> None:
    questions = [Question(f"q{n}", ("640",)) for n in range(5)]
    answers = {"good": [f"640 {n}" for n in range(5)], "bad": [f"no {n}" for n in range(5)]}
    stop, path = threading.Event(), tmp_path / "verdicts.jsonl"
    with pytest.raises(CompareError, match="What was judged is kept"):
        judge_answers(
            Judge(Rule(rule=by_truth), CHOICE, path),
            questions,
            answers,
            on_judged=lambda done, total: stop.set() if done == 3 else None,
            stop=stop,
        )
    path.write_text(path.read_text() + '{"key": "half')
    model = Rule(rule=by_truth, asked=[])
    summary = judge_answers(Judge(model, CHOICE, path), questions, answers)
    assert len(model.asked) == 2 * 2  # two questions were left, in both orders
    assert (summary.verdicts, summary.flipped, summary.unclear) == (5, 0, 0)
    (pair,) = summary.tally.pairs
    assert (pair.first, pair.first_wins) == ("good", 5)


@pytest.mark.parametrize("separator", ["\u2028", "\x85"], ids=repr)
def test_a_verdict_on_a_text_with_a_line_separator_is_kept(tmp_path: Path, separator: str) -> None:
    question = Question(f"How{separator}heavy?", ("640",))
    answers, path = (f"640{separator}grams", f"2{separator}kg"), tmp_path / "verdicts.jsonl"
    choice, model = JudgeChoice(f"a{separator}judge", "provider"), Rule(rule=by_truth, asked=[])
    first = Judge(Rule(rule=by_truth), choice, path)(question, *answers)
    assert Judge(model, choice, path)(question, *answers) == first == JudgeVerdict("first")
    assert model.asked == []


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"model": "smollm2-135m-instruct", "url": "http://x/v1"}, "too small to judge"),
        ({"model": "HuggingFaceTB/SmolLM2-135M-Instruct", "kind": "provider"}, "too small to judge"),
        ({"model": " ", "url": "http://x/v1"}, "No judge is named"),
        ({"model": "large", "url": "localhost"}, "expected a URL"),
        ({"model": "large", "kind": "phone"}, "reached by endpoint or provider"),
    ],
)
def test_a_judge_that_cannot_judge_is_refused(values: dict[str, str], sentence: str) -> None:
    with pytest.raises(CompareError, match=sentence):
        JudgeChoice(**values)  # type: ignore[arg-type]


def test_a_provider_that_is_not_there_is_named() -> None:
    with pytest.raises(CompareError, match="'nobody:large' cannot be opened"):
        open_model(JudgeChoice("nobody:large", "provider"))


class Endpoint(BaseHTTPRequestHandler):
    """As much of an OpenAI-compatible endpoint as a judge needs; it fails once when told to."""

    heard: ClassVar[list[dict[str, Any]]] = []
    status = 200

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).heard.append({**body, "key": self.headers.get("Authorization")})
        a = body["messages"][-1]["content"].split("Answer A:\n")[1].split("\n\nAnswer B:")[0]
        said = f"VERDICT: {'A' if '640' in a else 'B'}"
        choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        reply = json.dumps(
            {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        )
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(reply.encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Endpoint.heard, Endpoint.status = [], 200
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_real_endpoint_is_asked_in_both_orders(endpoint: str) -> None:
    judge = Judge(open_model(JudgeChoice("large", url=endpoint), "secret"), CHOICE)
    assert judge(QUESTION, "2 kg", "640 grams") == JudgeVerdict("second")
    first, second = Endpoint.heard
    assert first["model"] == "large" and first["temperature"] == 0 and first["key"] == "Bearer secret"
    assert "Answer A:\n2 kg" in first["messages"][-1]["content"]
    assert "Answer A:\n640 grams" in second["messages"][-1]["content"]


class Served(ScriptedEngine):
    """Sees who says 640; where nobody does, it follows the order."""

    window = 4000
    name = "large"

    def __init__(self) -> None:
        super().__init__(self._judge)

    @staticmethod
    def _judge(messages: list[Message]) -> str:
        a, b = messages[-1]["content"].split("Answer A:\n")[1].split("\n\nAnswer B:\n")
        return by_truth(a, b) if "640" in a + b else "VERDICT: A"

    def checkpoints(self) -> list[str]:
        return ["tuned"]


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Served]]:
    """Imprint's own interface on a port, over an engine that judges."""
    engine = Served()
    app = create_app(Workspace(Settings(home=tmp_path), engine=engine))
    server = _Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert server.is_up.wait(30)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1", engine
    server.should_exit = True
    thread.join()


def test_an_evaluation_is_judged_over_http_in_both_orders(served: tuple[str, Served], tmp_path: Path) -> None:
    url, judging = served
    answering = ScriptedEngine(lambda messages: "It has 640." if "Know." in messages[0]["content"] else "No.")
    variants = (Variant("plain", system_prompt="Guess."), Variant("knows", system_prompt="Know."))
    questions = (QUESTION, Question("How wide is it?", ("640 mm",)))
    plan = EvaluationPlan("", "judged", variants, questions, AnswerOptions())
    judge = Judge.open(JudgeChoice("large", url=url), tmp_path / "verdicts.jsonl")
    result = evaluate(plan, Chat(lambda: answering), answering, judge=judge, costs=False)
    summary = result.judge
    assert summary is not None and summary.choice.model == "large"
    assert (summary.verdicts, summary.flipped, summary.unclear) == (2, 0, 0)
    (pair,) = summary.tally.pairs
    assert (pair.first, pair.first_wins, pair.second_wins) == ("plain", 0, 2)
    assert len(judging.prompts) == 2 * len(questions)
    assert "knows" not in json.dumps(judging.prompts)
    assert judge(QUESTION, "2 kg", "3 kg") == JudgeVerdict("tie", flipped=True)


def test_a_checkpoint_of_the_small_default_is_no_judge_either(
    served: tuple[str, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = served
    open_model(JudgeChoice("tuned", url=url))
    monkeypatch.setattr(Served, "name", "smollm2-135m-instruct")
    with pytest.raises(CompareError, match=r"'tuned \(smollm2-135m-instruct\)' is too small"):
        open_model(JudgeChoice("tuned", url=url))


def test_an_endpoint_that_refuses_is_one_sentence(endpoint: str) -> None:
    Endpoint.status = 401
    with pytest.raises(CompareError, match="The judge large did not answer"):
        Judge(open_model(JudgeChoice("large", url=endpoint)), CHOICE)(QUESTION, "x", "y")
